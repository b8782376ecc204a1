import type { HeaderMatcher, StringMatcher } from '../matchers.ts'
import type { Matcher } from '../unified-matcher.ts'

/** envoy.config.rbac.v3.RBAC.Action */
export type RbacAction = 'ALLOW' | 'DENY' | 'LOG'

/** envoy.extensions.filters.http.rbac.v3.RBAC */
export interface RbacFilter {
  type: 'rbac'
  /** undefined: nothing is enforced. */
  enforced: RbacEngine | undefined
  shadow: RbacEngine | undefined
  rulesStatPrefix: string
  shadowRulesStatPrefix: string
  trackPerRuleStats: boolean
}

/** Policies, or a matcher: what decides. */
export type RbacEngine = { type: 'rules'; rules: RbacRules } | { type: 'matcher'; matcher: Matcher<RbacMatchAction> }

/** envoy.config.rbac.v3.Action */
export interface RbacMatchAction {
  name: string
  action: RbacAction
}

/** envoy.config.rbac.v3.RBAC */
export interface RbacRules {
  action: RbacAction
  /** In the order in which they are asked: of their names. */
  policies: readonly { name: string; permissions: readonly RbacRule[]; principals: readonly RbacRule[] }[]
}

/** envoy.config.rbac.v3.Permission or Principal: what is asked of a request. */
export type RbacRule =
  | { type: 'any' }
  /** Nothing here is encrypted, so nobody is authenticated. */
  | { type: 'never' }
  | { type: 'and' | 'or'; rules: readonly RbacRule[] }
  | { type: 'not'; rule: RbacRule }
  | { type: 'header'; matcher: HeaderMatcher }
  | { type: 'path'; matcher: StringMatcher }
  /** `connection` and `direct` are the peer, `client` is whom x-forwarded-for names. */
  | { type: 'ip'; of: 'destination' | 'connection' | 'direct' | 'client'; address: string; prefix: number }
  | { type: 'destination_port'; start: number; end: number }
  /** Of TLS; without it "". */
  | { type: 'server_name'; matcher: StringMatcher }
