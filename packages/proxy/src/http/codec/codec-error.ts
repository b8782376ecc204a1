/** Why a message is refused: RESPONSE_CODE_DETAILS of Envoy's codec, and the status it answers with. */
export interface CodecError {
  status: 400 | 403 | 426 | 431 | 501
  details: string
}

export const CODEC_ERROR: CodecError = { status: 400, details: 'http1.codec_error' }
export const INVALID_CHARACTERS: CodecError = { status: 400, details: 'http1.invalid_characters' }
export const INVALID_AUTHORITY: CodecError = { status: 400, details: 'http.invalid_authority' }
export const INVALID_SCHEME: CodecError = { status: 400, details: 'http1.invalid_scheme' }
export const INVALID_URL: CodecError = { status: 400, details: 'http1.invalid_url' }
export const HTTPS_URL_ON_PLAINTEXT: CodecError = {
  status: 403,
  details: 'http1.https_url_on_plaintext_connection',
}
export const CONNECTION_HEADER_REJECTED: CodecError = { status: 400, details: 'http1.connection_header_rejected' }
export const LENGTH_AND_CHUNKED: CodecError = {
  status: 400,
  details: 'http1.content_length_and_chunked_not_allowed',
}
export const INVALID_TRANSFER_ENCODING: CodecError = { status: 501, details: 'http1.invalid_transfer_encoding' }
export const BODY_DISALLOWED: CodecError = { status: 400, details: 'http1.body_disallowed' }
export const LOW_VERSION: CodecError = { status: 426, details: 'low_version' }
export const UNEXPECTED_UNDERSCORE: CodecError = { status: 400, details: 'http1.unexpected_underscore' }
export const HEADERS_TOO_LARGE: CodecError = { status: 431, details: 'http1.headers_too_large' }
export const TOO_MANY_HEADERS: CodecError = { status: 431, details: 'http1.too_many_headers' }
