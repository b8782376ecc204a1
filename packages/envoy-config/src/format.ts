import { type FormatOperator, formatOperators, type OperatorForm, unsupportedOperators } from './format-operators.ts'
import { didYouMean } from './nearest.ts'

/** A piece of a format string. `%REQ(X?Y):10%` is `{ operator: 'REQ', args: 'X?Y', maxLength: 10 }`. */
export type FormatSegment =
  | { type: 'literal'; text: string }
  | { type: 'operator'; operator: FormatOperator; args?: string; maxLength?: number }

/** What is wrong with a format string; `at` counts characters from its beginning. */
export interface FormatError {
  kind: 'unknown' | 'unsupported' | 'invalid'
  at: number
  message: string
}

const COMMAND = /%([A-Z0-9_]+)(?:\((.*?)\))?(?::([0-9]+))?%/y

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
    const error = operatorError(name!, args, length)
    if (error !== undefined) return { ok: false, error: { ...error, at } }
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

function operatorError(
  name: string,
  argument: string | undefined,
  length: string | undefined,
): Omit<FormatError, 'at'> | undefined {
  if (unsupportedOperators.has(name)) {
    return { kind: 'unsupported', message: `Envoy knows the operator %${name}%; Hopscope does not support it yet` }
  }
  const form = (formatOperators as Readonly<Record<string, OperatorForm>>)[name]
  if (form === undefined) {
    return {
      kind: 'unknown',
      message: `%${name}% is not a command operator${didYouMean(name, Object.keys(formatOperators))}`,
    }
  }
  const invalid = (message: string): Omit<FormatError, 'at'> => ({ kind: 'invalid', message: `%${name}% ${message}` })
  if (form.argumentRequired && !argument) return invalid(`needs an argument: %${name}(…)%`)
  if (length !== undefined && !form.length) return invalid('takes no length')
  if (argument === undefined) return undefined
  if (form.argument === undefined) return invalid('takes no argument')
  const inner = name === 'COALESCE' ? coalesceError(argument) : undefined
  if (inner !== undefined) return inner
  if (!form.argument.test(argument)) return invalid(`does not take '${argument}'`)
  return HEADER_OPERATORS.test(name) ? headerArgumentError(argument, invalid) : undefined
}

/** An operator within `%COALESCE(…)%`, by name alone or with what stands in its parentheses. */
export type CoalescedOperator = string | { command: string; param?: string; max_length?: number }

/** Its argument is JSON: `{"operators": ["HOSTNAME", {"command": "REQ", "param": "x"}]}`. */
function coalesceError(argument: string): Omit<FormatError, 'at'> | undefined {
  const invalid = (what: string): Omit<FormatError, 'at'> => ({ kind: 'invalid', message: `%COALESCE% ${what}` })
  let operators: readonly CoalescedOperator[]
  try {
    operators = (JSON.parse(argument) as { operators: readonly CoalescedOperator[] }).operators
  } catch {
    return invalid('expects JSON with a list of operators')
  }
  if (!Array.isArray(operators) || operators.length === 0) return invalid('expects a list of operators')
  for (const one of operators as readonly CoalescedOperator[]) {
    const { command, param } = typeof one === 'string' ? { command: one, param: undefined } : one
    const error = operatorError(command, param, undefined)
    if (error !== undefined) return error
  }
  return undefined
}

const HEADER_OPERATORS = /^(REQ|STREAM_INFO_REQ|REQUEST_HEADER|RESP|RESPONSE_HEADER|TRAILER|RESPONSE_TRAILER)$/

/** `name` or `name?alternative`. */
function headerArgumentError(
  argument: string,
  invalid: (message: string) => Omit<FormatError, 'at'>,
): Omit<FormatError, 'at'> | undefined {
  const names = argument.split('?')
  if (names.length > 2) return invalid(`takes one alternative header, found '${argument}'`)
  if (names.some(header => /[\s\0]/.test(header))) return invalid(`expects header names, found '${argument}'`)
  return undefined
}
