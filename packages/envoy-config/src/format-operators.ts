/** How a command operator is written. */
export interface OperatorForm {
  /** What may stand in `(…)`; absent: nothing. */
  argument?: RegExp
  argumentRequired?: boolean
  /** `:10` may follow. */
  length: boolean
  /** Arguments that Envoy takes and Hopscope does not yet. */
  unsupportedArgument?: RegExp
}

const plain: OperatorForm = { length: false }
/** Of an address: so many bits of it are shown. */
const mask: OperatorForm = { argument: /^(\d{1,2}|1[01]\d|12[0-8])?$/, length: false }
const metadata: OperatorForm = { argument: /^[^:]+/, argumentRequired: true, length: true }
const requiredArgument: OperatorForm = { argument: /^[^\s\0]/, argumentRequired: true, length: true }

/** What is known of TLS: nothing, as in Envoy when both sides speak plain. */
export const tlsOperators = {
  DOWNSTREAM_HANDSHAKE_DURATION: plain,
  DOWNSTREAM_LOCAL_DNS_SAN: plain,
  DOWNSTREAM_LOCAL_EMAIL_SAN: plain,
  DOWNSTREAM_LOCAL_IP_SAN: plain,
  DOWNSTREAM_LOCAL_OTHERNAME_SAN: plain,
  DOWNSTREAM_LOCAL_SUBJECT: plain,
  DOWNSTREAM_LOCAL_URI_SAN: plain,
  DOWNSTREAM_PEER_CERT: plain,
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1: plain,
  DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256: plain,
  DOWNSTREAM_PEER_CHAIN_SERIALS: plain,
  DOWNSTREAM_PEER_DNS_SAN: plain,
  DOWNSTREAM_PEER_EMAIL_SAN: plain,
  DOWNSTREAM_PEER_FINGERPRINT_1: plain,
  DOWNSTREAM_PEER_FINGERPRINT_256: plain,
  DOWNSTREAM_PEER_IP_SAN: plain,
  DOWNSTREAM_PEER_ISSUER: plain,
  DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256: plain,
  DOWNSTREAM_PEER_ISSUER_SERIAL: plain,
  DOWNSTREAM_PEER_OTHERNAME_SAN: plain,
  DOWNSTREAM_PEER_SERIAL: plain,
  DOWNSTREAM_PEER_SUBJECT: plain,
  DOWNSTREAM_PEER_URI_SAN: plain,
  DOWNSTREAM_TLS_CIPHER: plain,
  DOWNSTREAM_TLS_GROUP: plain,
  DOWNSTREAM_TLS_SESSION_ID: plain,
  DOWNSTREAM_TLS_VERSION: plain,
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: plain,
  TLS_JA3_FINGERPRINT: plain,
  TLS_JA4_FINGERPRINT: plain,
  UPSTREAM_LOCAL_DNS_SAN: plain,
  UPSTREAM_LOCAL_IP_SAN: plain,
  UPSTREAM_LOCAL_URI_SAN: plain,
  UPSTREAM_PEER_CERT: plain,
  UPSTREAM_PEER_DNS_SAN: plain,
  UPSTREAM_PEER_IP_SAN: plain,
  UPSTREAM_PEER_ISSUER: plain,
  UPSTREAM_PEER_SUBJECT: plain,
  UPSTREAM_PEER_URI_SAN: plain,
  UPSTREAM_SERVER_NAME: plain,
  UPSTREAM_TLS_CIPHER: plain,
  UPSTREAM_TLS_GROUP: plain,
  UPSTREAM_TLS_SESSION_ID: plain,
  UPSTREAM_TLS_VERSION: plain,
  DOWNSTREAM_PEER_CERT_V_START: { argument: /^/, length: false },
  DOWNSTREAM_PEER_CERT_V_END: { argument: /^/, length: false },
  UPSTREAM_PEER_CERT_V_START: { argument: /^/, length: false },
  UPSTREAM_PEER_CERT_V_END: { argument: /^/, length: false },
} as const satisfies Record<string, OperatorForm>

/**
 * The command operators that Hopscope has. The proxy's table of formatters is typed by these names, so the two cannot part.
 * Forms as Envoy 1.40 takes them.
 */
export const formatOperators = {
  ACCESS_LOG_TYPE: plain,
  BYTES_RECEIVED: plain,
  BYTES_RETRANSMITTED: plain,
  BYTES_SENT: plain,
  CLUSTER_METADATA: metadata,
  COALESCE: { argument: /^\{/, argumentRequired: true, length: true },
  COMMON_DURATION: {
    argument: /^[^:]+:[^:]+(:(ms|us|ns))?$/,
    argumentRequired: true,
    length: false,
    unsupportedArgument: /US_CX_|US_HS_END|US_RX_BODY_BEG/,
  },
  CONNECTION_ID: plain,
  CONNECTION_TERMINATION_DETAILS: plain,
  CUSTOM_FLAGS: plain,
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS: plain,
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID: plain,
  DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT: mask,
  DOWNSTREAM_DIRECT_LOCAL_PORT: plain,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: plain,
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: mask,
  DOWNSTREAM_DIRECT_REMOTE_PORT: plain,
  DOWNSTREAM_LOCAL_ADDRESS: plain,
  DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID: plain,
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: mask,
  DOWNSTREAM_LOCAL_PORT: plain,
  DOWNSTREAM_REMOTE_ADDRESS: plain,
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: mask,
  DOWNSTREAM_REMOTE_PORT: plain,
  DURATION: plain,
  DYNAMIC_METADATA: metadata,
  EMIT_TIME: { argument: /^/, length: false },
  ENVIRONMENT: requiredArgument,
  FILTER_CHAIN_NAME: plain,
  FILTER_STATE: { argument: /^[^:]+(:(PLAIN|TYPED|FIELD:.+))?$/, argumentRequired: true, length: true },
  GRPC_STATUS: { argument: /^(CAMEL_STRING|SNAKE_STRING|NUMBER)?$/, length: false },
  GRPC_STATUS_NUMBER: plain,
  HOSTNAME: plain,
  LISTENER_NAME: plain,
  LOCAL_REPLY_BODY: plain,
  METADATA: {
    argument: /^(DYNAMIC|ROUTE|VIRTUAL_HOST|CLUSTER|UPSTREAM_HOST|LISTENER|LISTENER_FILTER_CHAIN):[^:]+/,
    argumentRequired: true,
    length: true,
  },
  PATH: { argument: /^(WQ|NQ)?(:(ORIG|PATH|ORIG_OR_PATH))?$/, length: true },
  PROTOCOL: plain,
  QUERY_PARAM: requiredArgument,
  QUERY_PARAMS: plain,
  REQ: requiredArgument,
  REQUEST_HEADER: requiredArgument,
  REQUESTED_SERVER_NAME: plain,
  REQUEST_DURATION: plain,
  REQUEST_HEADERS_BYTES: plain,
  REQUEST_TX_DURATION: plain,
  RESP: requiredArgument,
  RESPONSE_CODE: plain,
  RESPONSE_CODE_DETAILS: { argument: /^(ALLOW_WHITESPACES)?$/, length: false },
  RESPONSE_DURATION: plain,
  RESPONSE_FLAGS: plain,
  RESPONSE_FLAGS_LONG: plain,
  RESPONSE_HEADER: requiredArgument,
  RESPONSE_HEADERS_BYTES: plain,
  RESPONSE_TRAILER: requiredArgument,
  RESPONSE_TRAILERS_BYTES: plain,
  RESPONSE_TX_DURATION: plain,
  ROUTE_NAME: plain,
  SPAN_ID: plain,
  START_TIME: { argument: /^/, length: false },
  STREAM_ID: plain,
  TRACE_ID: plain,
  TRAILER: requiredArgument,
  UNIQUE_ID: plain,
  UPSTREAM_CLUSTER: plain,
  UPSTREAM_CLUSTER_RAW: plain,
  UPSTREAM_HOST: plain,
  UPSTREAM_HOSTS_ATTEMPTED: plain,
  UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT: plain,
  UPSTREAM_HOST_NAME: plain,
  UPSTREAM_HOST_NAMES_ATTEMPTED: plain,
  UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT: plain,
  UPSTREAM_HOST_NAME_WITHOUT_PORT: plain,
  UPSTREAM_LOCAL_ADDRESS: plain,
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: mask,
  UPSTREAM_LOCAL_PORT: plain,
  UPSTREAM_METADATA: { ...metadata, length: false },
  UPSTREAM_PROTOCOL: plain,
  UPSTREAM_REMOTE_ADDRESS: plain,
  UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID: plain,
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: mask,
  UPSTREAM_REMOTE_PORT: plain,
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain,
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain,
  VIRTUAL_CLUSTER_NAME: plain,
  ...tlsOperators,
} as const satisfies Record<string, OperatorForm>

export type FormatOperator = keyof typeof formatOperators

/** Operators that Envoy 1.40 has and Hopscope has not yet. */
export const unsupportedOperators: ReadonlySet<string> = new Set(
  `
    CEL DOWNSTREAM_CX_RTT DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
    DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT
    DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT EMIT_TIME_LOCAL
    ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US START_TIME_LOCAL STREAM_INFO_REQ UPSTREAM_CONNECTION_ID
    UPSTREAM_CONNECTION_IDS_ATTEMPTED UPSTREAM_CONNECTION_POOL_READY_DURATION
    UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE
    UPSTREAM_FILTER_STATE UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_LOCAL_CLOSE_REASON
    UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT
  `
    .trim()
    .split(/\s+/),
)
