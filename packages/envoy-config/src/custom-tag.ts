export type CustomTag =
  | { tag: string; type: 'literal'; value: string }
  | { tag: string; type: 'environment'; name: string; defaultValue: string }
  | { tag: string; type: 'request_header'; name: string; defaultValue: string }
  /** A format string. */
  | { tag: string; type: 'value'; value: string }
  /** A namespace, and the keys below it. */
  | {
      tag: string
      type: 'metadata'
      of: 'request' | 'route' | 'cluster' | 'host'
      path: readonly string[]
      defaultValue: string
    }
