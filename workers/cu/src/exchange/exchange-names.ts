import type { JobId } from '@connecta/contracts';

/** The file names of one exchange, made of templates with `{id}`. */
export interface ExchangeNames {
  readonly drop: string;
  /** What the dropped file is called while it is written. */
  readonly part: string;
  readonly answer: string;
  readonly done: string | undefined;
  readonly error: string | undefined;
}

/** Templates of a profile. */
export interface NameTemplates {
  dropName?: string;
  answerName?: string;
  doneName?: string;
  errorName?: string;
}

export const DEFAULT_DROP_NAME = '{id}.in';
export const DEFAULT_ANSWER_NAME = '{id}.out';

export function exchangeNames(templates: NameTemplates, id: string): ExchangeNames {
  const name = (template: string): string => template.replace('{id}', id);
  const drop = name(templates.dropName ?? DEFAULT_DROP_NAME);
  return {
    drop,
    part: `.${drop}.part`,
    answer: name(templates.answerName ?? DEFAULT_ANSWER_NAME),
    done: templates.doneName === undefined ? undefined : name(templates.doneName),
    error: templates.errorName === undefined ? undefined : name(templates.errorName),
  };
}

const RUN_ID = '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\\d+-[0-9a-f]{6}';

/**
 * Reads the job out of a name that some run of ours made by this template; undefined for everybody else's files, which
 * must never be touched.
 */
export function jobOfName(template: string, name: string): JobId | undefined {
  const [before = '', after = ''] = template.split('{id}').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${before}${RUN_ID}${after}$`).exec(name)?.[1] as JobId | undefined;
}
