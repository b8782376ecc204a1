import type { RbacFilter } from '@hopscope/envoy-config'
import type { Exchange } from '../../http/exchange.ts'
import { respond } from '../../respond.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf } from '../http-filter.ts'
import { compileEngine, type Judge, type Verdict } from './rbac-rules.ts'

export interface RbacServices {
  stats: Stats
}

interface Compiled {
  enforced: Engine | undefined
  shadow: Engine | undefined
}

interface Engine {
  judge: Judge
  count(verdict: Verdict): void
  /** Of the fields of its metadata. */
  prefix: string
  isShadow: boolean
}

/** `envoy.filters.http.rbac`: who may do what, and in the shadow who might. (Behaviour: Envoy 1.40) */
export function createRbac(
  name: string,
  config: RbacFilter,
  statPrefix: string,
  { stats }: RbacServices,
): CreateFilter {
  const rules = numbersOf(stats, prefixed(statPrefix, config.rulesStatPrefix), '')
  const shadow = numbersOf(stats, prefixed(statPrefix, config.shadowRulesStatPrefix), 'shadow_')
  const compiled = new Map<RbacFilter, Compiled>()
  const compile = (rbac: RbacFilter): Compiled => {
    let found = compiled.get(rbac)
    if (found === undefined) {
      // The numbers are those of the listener's configuration, whoever judges.
      found = {
        enforced: rbac.enforced && {
          judge: compileEngine(rbac.enforced),
          count: counting(rbac, rules),
          prefix: `${config.rulesStatPrefix}enforced_`,
          isShadow: false,
        },
        shadow: rbac.shadow && {
          judge: compileEngine(rbac.shadow),
          count: counting(rbac, shadow),
          prefix: `${config.shadowRulesStatPrefix}shadow_`,
          isShadow: true,
        },
      }
      compiled.set(rbac, found)
    }
    return found
  }
  compile(config)
  return exchange => {
    const { enforced, shadow: shadowed } = compile(configOf<RbacFilter>(exchange, name, 'rbac') ?? config)
    if (enforced === undefined && shadowed === undefined) return undefined
    return {
      decode(next) {
        if (shadowed !== undefined) judgeBy(shadowed, exchange)
        const verdict = enforced && judgeBy(enforced, exchange)
        if (verdict?.allowed !== false) {
          next()
          return
        }
        const details = `rbac_access_denied_matched_policy[${verdict.policy ?? 'none'}]`
        respond(exchange, { status: 403, details, body: 'RBAC: access denied' })
      },
    }
  }
}

/** What an engine says is counted, and told to logs, spans and headers. */
function judgeBy({ judge, count, prefix, isShadow }: Engine, exchange: Exchange): Verdict {
  const verdict = judge(exchange)
  count(verdict)
  const { info } = exchange
  if (verdict.logHint !== undefined && !isShadow) info.addMetadata('envoy.common', { access_log_hint: verdict.logHint })
  info.addMetadata('envoy.filters.http.rbac', {
    ...(verdict.policy === undefined ? {} : { [`${prefix}effective_policy_id`]: verdict.policy }),
    [`${prefix}engine_result`]: verdict.allowed ? 'allowed' : 'denied',
  })
  return verdict
}

function prefixed(statPrefix: string, rulesPrefix: string): string {
  return `http.${statPrefix}.rbac.${rulesPrefix === '' ? '' : `${rulesPrefix}.`}`
}

interface Numbers {
  allowed: Counter
  denied: Counter
  ofPolicy(policy: string, allowed: boolean): void
}

function numbersOf(stats: Stats, prefix: string, kind: '' | 'shadow_'): Numbers {
  return {
    allowed: stats.counter(`${prefix}${kind}allowed`),
    denied: stats.counter(`${prefix}${kind}denied`),
    ofPolicy: (policy, allowed) =>
      stats.counter(`${prefix}policy.${policy}.${kind}${allowed ? 'allowed' : 'denied'}`).add(),
  }
}

function counting({ trackPerRuleStats }: RbacFilter, numbers: Numbers): (verdict: Verdict) => void {
  return ({ allowed, policy }) => {
    const counter = allowed ? numbers.allowed : numbers.denied
    counter.add()
    if (trackPerRuleStats && policy !== undefined) numbers.ofPolicy(policy, allowed)
  }
}
