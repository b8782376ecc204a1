import { HttpError } from './http-error.ts'

/** A mistake in a call of our own API, answered as JSON: `code` is for programs, `path` names the parameter. */
export class OwnApiError extends HttpError {
  readonly code: string
  readonly path: string | undefined

  constructor(code: string, message: string, path?: string, status = 400) {
    super(status, message)
    this.code = code
    this.path = path
  }
}
