import { expect, test } from '@jest/globals';
import { exchangeNames, jobOfName } from './exchange-names.ts';

const JOB = '0197a0c0-0000-7000-8000-000000000001';
const RUN = `${JOB}-2-00ff00`;

test('names carry the id of the run', () => {
  expect(exchangeNames({ dropName: 'ct_{id}.dat', errorName: '{id}.err' }, RUN)).toEqual({
    drop: `ct_${RUN}.dat`,
    part: `.ct_${RUN}.dat.part`,
    answer: `${RUN}.out`,
    done: undefined,
    error: `${RUN}.err`,
  });
});

test('the job is read only out of names that a run of ours made', () => {
  expect(jobOfName('a+{id}.out', `a+${RUN}.out`)).toBe(JOB);
  expect(jobOfName('{id}.out', `${RUN}.out.bak`)).toBeUndefined();
  expect(jobOfName('{id}.out', `${RUN}xout`)).toBeUndefined();
  expect(jobOfName('{id}.out', 'patient-7.out')).toBeUndefined();
  expect(jobOfName('{id}.out', `${JOB}.out`)).toBeUndefined();
});
