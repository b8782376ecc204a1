import type { GrpcService } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, type ParseContext } from './context.ts'

/** Of an envoy.config.core.v3.GrpcService. `who` names the user of it in problems, as Envoy does. */
export function parseGrpcService(message: Message, who: string, context: ParseContext): GrpcService {
  const envoy = message.message('envoy_grpc')
  const cluster = envoy?.string('cluster_name') ?? ''
  if (envoy !== undefined && cluster !== '')
    checkCluster(cluster, envoy.valuePlace('cluster_name'), who, context, 'http2')
  const metadata = new Map<string, string>()
  for (const header of message.messages('initial_metadata')) {
    const value = header.string('value')
    if (value.includes('%')) {
      const what = 'Envoy knows formats here; Hopscope supports only plain text so far'
      context.problems.add('unsupported', header.valuePlace('value'), what)
    }
    // The last of a name counts, as in Envoy.
    metadata.set(header.string('key').toLowerCase(), value)
  }
  return {
    cluster,
    authority: envoy?.string('authority') || cluster,
    initialMetadata: [...metadata],
    skipEnvoyHeaders: envoy?.boolean('skip_envoy_headers') ?? false,
  }
}
