import { fileProblem } from '../file-problem.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/**
 * The bytes of an envoy.config.core.v3.DataSource; undefined when there are none or they cannot be had, which is noted. A
 * relative file name counts from the working directory, as in Envoy.
 */
export function readDataSource(source: Message, context: ParseContext): Uint8Array | undefined {
  if (source.has('inline_bytes')) return source.bytes('inline_bytes')
  if (source.has('inline_string')) return new TextEncoder().encode(source.string('inline_string'))
  if (source.has('filename')) {
    const name = source.string('filename')
    try {
      return context.readFile(name)
    } catch (error) {
      const reason = fileProblem(error)
      context.problems.add('reference', source.valuePlace('filename'), `cannot read '${name}': ${reason}`)
      return undefined
    }
  }
  if (source.has('environment_variable')) {
    const name = source.string('environment_variable')
    const value = context.environment[name]
    if (value !== undefined) return new TextEncoder().encode(value)
    context.problems.add(
      'reference',
      source.valuePlace('environment_variable'),
      `the environment variable ${name} is not set`,
    )
  }
  return undefined
}
