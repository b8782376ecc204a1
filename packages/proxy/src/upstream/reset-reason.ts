/** Why an upstream request ended without a response, or in the middle of it, in Envoy's words. */
export type ResetReason =
  | 'local connection failure'
  | 'remote connection failure'
  | 'connection timeout'
  | 'connection termination'
  | 'overflow'
  /** Of one stream of an HTTP/2 connection. */
  | 'remote reset'
  | 'protocol error'
  | 'local reset'
