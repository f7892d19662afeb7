export { cuFunctions, type CuRules } from './functions.ts';
export { cuSamples } from './samples.ts';
export type { LegacyJob, LegacyProgram, LegacyRun } from './programs/legacy-program.ts';
export { runLegacy, type LegacyEnvironment } from './programs/run-legacy.ts';
export { legacySettingsProperties, type LegacySettings } from './programs/legacy-settings.ts';
export { Shares, type Share, type ShareUse } from './shares/shares.ts';
