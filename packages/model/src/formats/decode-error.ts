export type DecodeErrorCode =
  | 'not_a_list'
  | 'other_format'
  | 'malformed'
  | 'end_of_input'
  | 'wrong_type'
  | 'bad_number'
  | 'missing_id'
  | 'missing_key'
  | 'bad_id'
  | 'bad_kind'
  | 'bad_port'
  | 'no_tag_value'
  | 'incomplete_annotation'
  | 'truncated'
  | 'bad_varint'

/**
 * A body of spans that cannot be read; nothing of it is kept. `message` is the text that zipkin-server 3.6.1 answers
 * with its 400, without the link to Gson's help page: `id is empty reading List<Span> from json`.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeErrorCode

  constructor(code: DecodeErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
