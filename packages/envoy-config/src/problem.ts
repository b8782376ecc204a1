/**
 * One thing that is wrong with a file. `unknown`: Envoy does not know it either. `unsupported`: Envoy knows it, Hopscope
 * does not (yet). `invalid`: Envoy refuses it for its value. `syntax`: not YAML or JSON.
 */
export interface Problem {
  kind: 'syntax' | 'unknown' | 'unsupported' | 'invalid' | 'reference'
  file: string
  /** 1-based. */
  line: number
  column: number
  /** `static_resources.listeners[0].name`; "" for the whole file. */
  path: string
  /** What is wrong, what was expected, the nearest name. */
  message: string
}

/** `file:line:col: path: message` */
export function formatProblem(p: Problem): string {
  return `${p.file}:${p.line}:${p.column}: ${p.path === '' ? '' : `${p.path}: `}${p.message}`
}
