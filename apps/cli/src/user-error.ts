/** A mistake of the user's or of the machine's: its message is all that is printed, the command ends with exit code 1. */
export class UserError extends Error {
  override name = 'UserError'
}
