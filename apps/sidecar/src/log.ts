import { writeSync } from 'node:fs'

/** Envoy's levels. */
export const logLevels = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const
export type LogLevel = (typeof logLevels)[number]

/** Lines on stderr in Envoy's form: `[2026-01-31 08:00:00.123][4711][warning][main] text`. */
export class Log {
  #level: LogLevel
  readonly #ofComponent = new Map<string, LogLevel>()

  constructor(level: LogLevel) {
    this.#level = level
  }

  levelOf(component: string): LogLevel {
    return this.#ofComponent.get(component) ?? this.#level
  }

  /** Of one component, or of all. */
  setLevel(level: LogLevel, component?: string): void {
    if (component !== undefined) {
      this.#ofComponent.set(component, level)
      return
    }
    this.#level = level
    this.#ofComponent.clear()
  }

  write(level: Exclude<LogLevel, 'off'>, component: string, text: string): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.levelOf(component))) return
    const time = new Date().toISOString().replace('T', ' ').slice(0, -1)
    stderr(`[${time}][${process.pid}][${level}][${component}] ${text}\n`)
  }

  debug(component: string, text: string): void {
    this.write('debug', component, text)
  }

  info(component: string, text: string): void {
    this.write('info', component, text)
  }

  warning(component: string, text: string): void {
    this.write('warning', component, text)
  }

  error(component: string, text: string): void {
    this.write('error', component, text)
  }

  critical(component: string, text: string): void {
    this.write('critical', component, text)
  }
}

/** Written at once, so that the last words of a process that ends are not lost. */
export function stderr(text: string): void {
  try {
    writeSync(2, text)
  } catch {
    // Nobody reads it any more.
  }
}
