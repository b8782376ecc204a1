/** A piece of a format string. `%REQ(X?Y):10%` is `{ operator: 'REQ', args: 'X?Y', maxLength: 10 }`. */
export type FormatSegment =
  | { type: 'literal'; text: string }
  | { type: 'operator'; operator: FormatOperator; args?: string; maxLength?: number }

/** A part in parentheses: none, may be, must be. */
type Arguments = 'none' | 'optional' | 'required'

/**
 * The command operators that Hopscope has, and whether they take `(…)`. The proxy's formatter must know each of them: its table
 * is typed by these names.
 */
export const formatOperators = {
  ACCESS_LOG_TYPE: 'none',
  BYTES_RECEIVED: 'none',
  BYTES_SENT: 'none',
  CONNECTION_ID: 'none',
  CONNECTION_TERMINATION_DETAILS: 'none',
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: 'none',
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: 'none',
  DOWNSTREAM_LOCAL_ADDRESS: 'none',
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: 'none',
  DOWNSTREAM_LOCAL_PORT: 'none',
  DOWNSTREAM_REMOTE_ADDRESS: 'none',
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: 'none',
  DOWNSTREAM_REMOTE_PORT: 'none',
  DURATION: 'none',
  ENVIRONMENT: 'required',
  GRPC_STATUS: 'optional',
  HOSTNAME: 'none',
  LOCAL_REPLY_BODY: 'none',
  PATH: 'optional',
  PROTOCOL: 'none',
  QUERY_PARAM: 'required',
  REQ: 'required',
  REQUESTED_SERVER_NAME: 'optional',
  REQUEST_DURATION: 'none',
  REQUEST_TX_DURATION: 'none',
  RESP: 'required',
  RESPONSE_CODE: 'none',
  RESPONSE_CODE_DETAILS: 'optional',
  RESPONSE_DURATION: 'none',
  RESPONSE_FLAGS: 'none',
  RESPONSE_FLAGS_LONG: 'none',
  RESPONSE_TX_DURATION: 'none',
  ROUTE_NAME: 'none',
  SPAN_ID: 'none',
  START_TIME: 'optional',
  STREAM_ID: 'none',
  TRACE_ID: 'none',
  TRAILER: 'required',
  UNIQUE_ID: 'none',
  UPSTREAM_CLUSTER: 'none',
  UPSTREAM_CLUSTER_RAW: 'none',
  UPSTREAM_HOST: 'none',
  UPSTREAM_HOST_NAME: 'none',
  UPSTREAM_HOST_NAME_WITHOUT_PORT: 'none',
  UPSTREAM_LOCAL_ADDRESS: 'none',
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: 'none',
  UPSTREAM_LOCAL_PORT: 'none',
  UPSTREAM_PROTOCOL: 'none',
  UPSTREAM_REMOTE_ADDRESS: 'none',
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: 'none',
  UPSTREAM_REMOTE_PORT: 'none',
  UPSTREAM_REQUEST_ATTEMPT_COUNT: 'none',
  UPSTREAM_TRANSPORT_FAILURE_REASON: 'none',
  VIRTUAL_CLUSTER_NAME: 'none',
} as const satisfies Record<string, Arguments>

export type FormatOperator = keyof typeof formatOperators

/** Operators of Envoy that Hopscope does not have yet. */
const unsupportedOperators: ReadonlySet<string> = new Set([
  'CEL',
  'CLUSTER_METADATA',
  'COALESCE',
  'COMMON_DURATION',
  'DOWNSTREAM_CIPHER',
  'DYNAMIC_METADATA',
  'EMIT_TIME',
  'FILTER_CHAIN_NAME',
  'FILTER_STATE',
  'GRPC_STATUS_NUMBER',
  'METADATA',
  'PER_REQUEST_STATE',
  'REQ_WITHOUT_QUERY',
  'SECRET',
  'UPSTREAM_FILTER_STATE',
  'UPSTREAM_METADATA',
  'VIRTUAL_HOST_NAME',
]) // prettier-ignore

/** What is wrong with a format string; `at` counts characters from its beginning. */
export interface FormatError {
  kind: 'unknown' | 'unsupported' | 'invalid'
  at: number
  message: string
}

const COMMAND = /%([A-Z0-9_]+)(?:\(([^)]*)\))?(?::([0-9]+))?%/y

/** Takes a format string of headers, access logs and tags apart: `%OPERATOR(args):length%`, `%%` and text. */
export function parseFormat(
  format: string,
): { ok: true; segments: FormatSegment[] } | { ok: false; error: FormatError } {
  const segments: FormatSegment[] = []
  let literal = ''
  const endLiteral = (): void => {
    if (literal !== '') segments.push({ type: 'literal', text: literal })
    literal = ''
  }
  for (let at = 0; at < format.length; ) {
    if (format[at] !== '%') {
      literal += format[at++]
      continue
    }
    if (format[at + 1] === '%') {
      literal += '%'
      at += 2
      continue
    }
    COMMAND.lastIndex = at
    const command = COMMAND.exec(format)
    if (command === null) {
      const message = `no valid command at position ${at} of '${format}': expected %OPERATOR%, %OPERATOR(…)%, or %% for a percent sign`
      return { ok: false, error: { kind: 'invalid', at, message } }
    }
    const [text, name, args, length] = command
    const error = operatorError(name!, args, at)
    if (error !== undefined) return { ok: false, error }
    endLiteral()
    segments.push({
      type: 'operator',
      operator: name as FormatOperator,
      ...(args === undefined ? {} : { args }),
      ...(length === undefined ? {} : { maxLength: Number(length) }),
    })
    at += text.length
  }
  endLiteral()
  return { ok: true, segments }
}

function operatorError(name: string, args: string | undefined, at: number): FormatError | undefined {
  if (
    unsupportedOperators.has(name) ||
    /^(DOWNSTREAM_(PEER|TLS|TRANSPORT|HANDSHAKE|LOCAL_(URI|DNS|SUBJECT|EMAIL|IP|OTHERNAME))|UPSTREAM_(PEER|TLS|CONNECTION|LOCAL_(URI|DNS|SUBJECT)|.*DURATION|DETECTED|HOSTS?_)|TLS_)/.test(
      name,
    )
  ) {
    return { kind: 'unsupported', at, message: `Envoy knows the operator %${name}%; Hopscope does not support it yet` }
  }
  const takes = (formatOperators as Readonly<Record<string, Arguments>>)[name]
  if (takes === undefined) return { kind: 'unknown', at, message: `%${name}% is not a command operator` }
  if (takes === 'required' && args === undefined)
    return { kind: 'invalid', at, message: `%${name}% needs an argument: %${name}(…)%` }
  if (takes === 'none' && args !== undefined) return { kind: 'invalid', at, message: `%${name}% takes no argument` }
  return undefined
}
