/** A mistake of the user's or of the machine's: its message is all that is printed, the command ends with exit code 1. */
export class UserError extends Error {
  override name = 'UserError'
}

const SYSTEM_PROBLEMS: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the disk',
  EDQUOT: 'your quota of the disk is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'there is no permission for it',
  EPERM: 'there is no permission for it',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
  EAGAIN: 'the machine starts no more processes',
}

/** What the machine refused, in words: `cannot write /x/y: there is no space left on the disk`. Undefined for any other error. */
export function systemProblem(error: unknown, file?: string): string | undefined {
  const { code, path = file, syscall } = error as NodeJS.ErrnoException
  const problem = code === undefined ? undefined : SYSTEM_PROBLEMS[code]
  if (problem === undefined) return undefined
  return `${syscall === undefined ? 'cannot go on' : `cannot ${syscall}`}${path === undefined ? '' : ` ${path}`}: ${problem}`
}
