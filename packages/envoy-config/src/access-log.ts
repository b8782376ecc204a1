import type { HeaderMatcher } from './matchers.ts'
import type { MetadataMatcher } from './metadata-matcher.ts'
import type { Fraction } from './quantities.ts'

/** envoy.config.accesslog.v3.AccessLog */
export interface AccessLog {
  sink: { type: 'file'; path: string } | { type: 'stdout' } | { type: 'stderr' }
  /** Absent: Envoy's default line. */
  format?: SubstitutionFormat
  /** Absent: every request is logged. */
  filter?: AccessLogFilter
}

/** envoy.config.core.v3.SubstitutionFormatString. Text: one format string. JSON: a value whose texts are format strings. */
export type SubstitutionFormat = ({ text: string } | { json: JsonFormat }) & {
  /** What has no value is left out: nothing in a text, no key in an object. */
  omitEmptyValues?: boolean
  /** Of a local reply's body; absent or "": by the kind of format. */
  contentType?: string
}

/** A `json_format`: keys and what stands under them. */
export interface JsonFormat {
  readonly [key: string]: JsonFormatValue
}
/** A value of a `json_format`: a format string where it is a text. */
export type JsonFormatValue = string | number | boolean | null | readonly JsonFormatValue[] | JsonFormat

/** envoy.config.accesslog.v3.AccessLogFilter */
export type AccessLogFilter =
  | { type: 'status_code' | 'duration'; comparison: Comparison }
  | { type: 'not_health_check' | 'traceable' }
  | { type: 'runtime'; runtimeKey: string; percentSampled: Fraction; useIndependentRandomness: boolean }
  | { type: 'and' | 'or'; filters: readonly AccessLogFilter[] }
  | { type: 'header'; header: HeaderMatcher }
  /** Any of these; none given: any at all. */
  | { type: 'response_flag'; flags: readonly string[] }
  | { type: 'grpc_status'; statuses: readonly number[]; exclude: boolean }
  | { type: 'log_type'; types: readonly string[]; exclude: boolean }
  /** Of what filters said of the request; undefined: there is no value that fits. */
  | { type: 'metadata'; matcher: MetadataMatcher | undefined; matchIfNotFound: boolean }

/** envoy.config.accesslog.v3.ComparisonFilter */
export interface Comparison {
  op: 'EQ' | 'GE' | 'LE' | 'NE'
  value: number
  /** "": the runtime has no word in it. */
  runtimeKey: string
}
