import type { Request, Response } from 'express';

/** The shape of an operation as openapi-typescript generates it. */
interface OperationShape {
  parameters: { query?: unknown; header?: unknown; path?: unknown; cookie?: unknown };
  requestBody?: unknown;
  responses: object;
}

type Content<T> = T extends { content: { 'application/json': infer Body } } ? Body : never;
type Given<T> = [T] extends [never] ? Record<string, never> : NonNullable<T>;
type LowerCased<T> = { [K in keyof T as K extends string ? Lowercase<K> : never]: T[K] };

/** A request's validated input, typed by the document's operation; header names are lower case. */
export interface OperationInput<Op extends OperationShape> {
  path: Given<Op['parameters']['path']>;
  query: Given<Op['parameters']['query']>;
  header: LowerCased<Given<Op['parameters']['header']>>;
  body: Op extends { requestBody: infer Body }
    ? Content<Body>
    : Op extends { requestBody?: infer Body }
      ? Content<NonNullable<Body>> | undefined
      : undefined;
}

/** The JSON body that an operation answers with a status. */
export type OperationAnswer<Op extends OperationShape, Status extends keyof Op['responses']> = Content<
  Op['responses'][Status]
>;

/** Reads what the validator has checked against the same document that `Op` was generated from. */
export function inputOf<Op extends OperationShape>(req: Request): OperationInput<Op> {
  const { parameters } = req.context;
  if (!parameters) throw new TypeError('this path is not validated by the document');
  return { ...parameters, body: req.body as unknown } as OperationInput<Op>;
}

/** Answers with a JSON body of the declared type. */
export function answer<Op extends OperationShape, Status extends keyof Op['responses'] & number>(
  res: Response,
  status: Status,
  body: OperationAnswer<Op, Status>,
): void {
  res.status(status).json(body);
}
