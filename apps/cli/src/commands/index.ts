import type { Command } from 'commander';
import type { CommandTools } from './tools.ts';
import { addCompletion } from './completion.ts';
import { addContexts } from './contexts.ts';
import { addDecide } from './decide.ts';
import { addDoctor } from './doctor.ts';
import { addKeys } from './keys.ts';
import { addLogs } from './logs.ts';
import { addOrders } from './orders.ts';
import { addProfiles } from './profiles.ts';
import { addRun } from './run.ts';
import { addUp } from './up.ts';
import { addCheck } from './check.ts';
import { addSchedules } from './schedules.ts';
import { addTasks } from './tasks.ts';
import { addTest } from './test.ts';
import { addWorkers } from './workers.ts';
import { addWorkflows } from './workflows.ts';

/** Adds every command, in the order in which the help shows them. */
export function addCommands(program: Command, tools: CommandTools): void {
  for (const add of [
    addUp,
    addRun,
    addOrders,
    addLogs,
    addDecide,
    addWorkers,
    addProfiles,
    addWorkflows,
    addSchedules,
    addTasks,
    addCheck,
    addTest,
    addKeys,
    addContexts,
    addDoctor,
    addCompletion,
  ]) {
    add(program, tools);
  }
}
