/**
 * What of Envoy's API Hopscope does, message by message, by proto names. A field of Envoy that is not here is an `unsupported`
 * problem, never ignored. The reference page of the subset is made from this table.
 */
import { accessLog } from './access-log.ts'
import { bootstrap } from './bootstrap.ts'
import { cluster } from './cluster.ts'
import { core } from './core.ts'
import { httpFilters } from './http-filters.ts'
import { listener } from './listener.ts'
import { matcher } from './matcher.ts'
import { route } from './route.ts'
import type { SupportTable } from './support.ts'
import { tracing } from './tracing.ts'

export { extensionPoints } from './extension-points.ts'

export const supported: SupportTable = {
  ...bootstrap,
  ...core,
  ...accessLog,
  ...tracing,
  ...listener,
  ...route,
  ...cluster,
  ...httpFilters,
  ...matcher,
}
