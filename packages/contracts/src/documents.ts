/** Where the OpenAPI documents are: what gateways and worker types validate against, and what they publish. */
export const OPENAPI_DOCUMENTS = {
  feApi: new URL('../openapi/fe-api.yaml', import.meta.url),
  beApi: new URL('../openapi/be-api.yaml', import.meta.url),
  workerApi: new URL('../openapi/worker-api.yaml', import.meta.url),
} as const;

/** Where the AsyncAPI document of queues and event streams is. */
export const ASYNCAPI_DOCUMENT = new URL('../asyncapi/connecta.yaml', import.meta.url);
