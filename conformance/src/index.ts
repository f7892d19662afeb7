export { readCases, type Case, type Cases } from './cases.ts';
export { RULES, type Rule, type Transport, type Verdict } from './rules.ts';
export { runKit, type KitOptions, type KitReport } from './run-kit.ts';
