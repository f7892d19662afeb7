export {
  defineFunction,
  type ChildOrder,
  type ChildOrderRequest,
  type FunctionContext,
  type FunctionDefinition,
  type FunctionLog,
  type FunctionResult,
  type FunctionTimers,
  type JobBlobs,
  type JsonSchema,
  type NewBlob,
  type WorkerFunction,
} from './function/function.ts';
export { FunctionError, type FunctionErrorOptions } from './function/function-error.ts';
