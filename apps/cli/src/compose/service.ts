/** A service of a compose file, as far as it can be run without Docker. */
export interface Service {
  name: string
  /** `apps/sidecar/src/main.ts`, …: what the image's entry point runs. */
  command: readonly string[]
  environment: Readonly<Record<string, string>>
  /** The service whose network namespace it lives in; itself unless `network_mode: service:x`. */
  pod: string
  mounts: readonly Mount[]
  ports: readonly PublishedPort[]
  dependsOn: Readonly<Record<string, DependencyCondition>>
  /** How many of it there are (`scale`); absent: one, and it is not asked for by a name with several addresses. */
  replicas?: number
  /** Started only when one of them is asked for; empty: always. */
  profiles: readonly string[]
}

export interface Mount {
  /** Absolute path here. */
  source: string
  /** Path in the container. */
  target: string
}

export interface PublishedPort {
  target: number
  /** Absent: any free one. */
  published?: number
}

export type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully'

/** The app of a command: `sidecar` for `apps/sidecar/src/main.ts`. */
export function appOf(service: Service): string | undefined {
  return /^apps\/([a-z-]+)\/src\/main\.ts$/.exec(service.command[0] ?? '')?.[1]
}
