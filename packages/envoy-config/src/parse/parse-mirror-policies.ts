import type { RequestMirrorPolicy } from '../mirror-policy.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, type ParseContext } from './context.ts'
import { parseHeaderMutationRule } from './http-filters/parse-header-mutation.ts'
import { parseRuntimeFraction } from './percent.ts'

const ALL = { numerator: 100, denominator: 100 } as const

/** `request_mirror_policies` of a route action, a virtual host or a route configuration. */
export function parseMirrorPolicies(
  message: Message | undefined,
  limits: { validateClusters: boolean },
  context: ParseContext,
): RequestMirrorPolicy[] {
  return (message?.messages('request_mirror_policies') ?? []).map(policy => {
    const name = policy.string('cluster')
    const header = policy.string('cluster_header')
    if (name === '' && header === '' && !policy.broken.has('cluster') && !policy.broken.has('cluster_header'))
      context.problems.add('invalid', policy, 'exactly one of cluster and cluster_header is required')
    if (name !== '' && header !== '')
      context.problems.add(
        'invalid',
        policy.place('cluster_header'),
        'only one of cluster and cluster_header may be set',
      )
    if (name !== '' && limits.validateClusters) checkCluster(name, policy.valuePlace('cluster'), 'route', context)
    return {
      cluster: name === '' ? { type: 'header', header: header.toLowerCase() } : { type: 'cluster', name },
      runtimeFraction: parseRuntimeFraction(policy.message('runtime_fraction'), ALL),
      ...(policy.has('trace_sampled') ? { traceSampled: policy.boolean('trace_sampled') } : {}),
      disableShadowHostSuffixAppend: policy.boolean('disable_shadow_host_suffix_append'),
      requestHeadersMutations: policy
        .messages('request_headers_mutations')
        .map(one => parseHeaderMutationRule(one, context)),
      hostRewriteLiteral: policy.string('host_rewrite_literal'),
    }
  })
}
