/** A running compose file, whatever runs it. */
export interface Mesh {
  readonly kind: 'processes' | 'docker'
  readonly proxy: 'hopscope' | 'envoy'
  readonly services: readonly string[]
  /** http base address of a service's container port, without trailing slash: `http://127.0.0.1:40213`. */
  address(service: string, containerPort: number): string
  /** Ends one service (SIGTERM). */
  stop(service: string): Promise<void>
  /** Starts it again; resolves when it is ready. */
  start(service: string): Promise<void>
  /** Other values for the compose file's variables: services whose definition changes are restarted; resolves when ready. */
  set(variables: Readonly<Record<string, string>>): Promise<void>
  /** Proportional set size per service, bytes; empty where it cannot be known. */
  memory(): Promise<ReadonlyMap<string, number>>
  /** What a service wrote to stdout and stderr so far. */
  output(service: string): Promise<string>
  /** A service ended by itself, after it had been ready; with its last words. */
  onUnexpectedEnd: (message: string) => void
  /** Ends everything. Never throws. */
  down(): Promise<void>
}

export interface MeshOptions {
  composeFile: string
  /** Values for the compose file's variables; the environment's come after. */
  variables: Readonly<Record<string, string>>
  /** What stands in for every sidecar. */
  proxy: 'hopscope' | 'envoy'
  /** `fixed`: the published ports of the compose file; `free`: ports that nobody uses. */
  ports: 'free' | 'fixed'
  /** A short text for the progress line. */
  progress(text: string): void
  /** Aborted: starting stops, what was started is ended. */
  signal?: AbortSignal
}
