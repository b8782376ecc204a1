import { type Case, get } from '../harness/case.ts'
import { echo, ok } from '../harness/upstream.ts'
import { filter } from './filter-configs.ts'

type Fields = Record<string, unknown>

const any = { any: true }
const policy = (path: string) => ({ permissions: [{ url_path: { path: { prefix: path } } }], principals: [any] })
const rules = (action: string) => ({ action, policies: { first: policy('/first'), second: policy('/second') } })
const rbac = (fields: Fields) => filter('rbac', 'rbac.v3.RBAC', fields)

const RBAC = 'envoy.filters.http.rbac'
const LOG = `%REQ(:PATH)% %RESPONSE_CODE% all=%DYNAMIC_METADATA(${RBAC})% result=%DYNAMIC_METADATA(${RBAC}:shadow_engine_result)% common=%DYNAMIC_METADATA(envoy.common)%\n`

const steps = ['/first', '/second', '/third'].map(path => ({ send: get(path) }))

const match = (action: string) => ({
  matcher_list: {
    matchers: [
      {
        predicate: {
          single_predicate: {
            input: {
              name: 'input',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
                header_name: ':path',
              },
            },
            value_match: { exact: '/first' },
          },
        },
        on_match: {
          action: {
            name: 'action',
            typed_config: { '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action', name: 'matched', action },
          },
        },
      },
    ],
  },
})

export const dynamicMetadataCases: Case[] = [
  ...['ALLOW', 'DENY', 'LOG'].flatMap((action): Case[] => [
    {
      name: `what rbac leaves: ${action}`,
      covers: 'dynamic metadata of rbac: rules, shadow_rules; DYNAMIC_METADATA in logs and headers, a custom tag',
      upstreams: { app: echo },
      config: {
        accessLog: LOG,
        filters: [rbac({ rules: rules(action), shadow_rules: rules(action), shadow_rules_stat_prefix: 'dark' })],
        routes: [
          {
            match: { prefix: '/' },
            route: { cluster: 'app' },
            request_headers_to_add: [
              { header: { key: 'x-by', value: `%DYNAMIC_METADATA(${RBAC}:enforced_effective_policy_id)%` } },
            ],
          },
        ],
        tracing: {
          custom_tags: [
            {
              tag: 'policy',
              metadata: {
                kind: { request: {} },
                metadata_key: { key: RBAC, path: [{ key: 'enforced_engine_result' }] },
                default_value: 'none',
              },
            },
          ],
        },
      },
      spans: 3,
      steps,
    },
    {
      name: `what a matcher of rbac leaves: ${action}`,
      covers: 'dynamic metadata of rbac: matcher, shadow_matcher, without prefixes; two filters',
      config: {
        accessLog: LOG,
        filters: [
          rbac({ matcher: match(action), rules_stat_prefix: 'lit_' }),
          rbac({ shadow_matcher: match(action) }),
          rbac({ shadow_rules: rules('ALLOW') }),
        ],
      },
      steps,
    },
  ]),
  {
    name: 'what ext_authz leaves',
    covers: 'dynamic metadata of ext_authz: dynamic_metadata_from_headers; a header that comes twice; how long it took',
    upstreams: { app: echo, auth: ok('yes', 'x-user: ann\r\nx-user: bob\r\nx-group: "q"\r\nx-other: c\r\n') },
    config: {
      accessLog: ['x-user', 'x-group', 'x-other', 'x-none']
        .map(name => `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${name})%`)
        .join(' ')
        .concat(' %DYNAMIC_METADATA(envoy.filters.http.ext_authz):20%\n'),
      filters: [
        filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
          transport_api_version: 'V3',
          http_service: {
            server_uri: { uri: 'http://auth.test', cluster: 'auth', timeout: '0.25s' },
            authorization_response: {
              dynamic_metadata_from_headers: { patterns: [{ exact: 'x-user' }, { prefix: 'x-g' }] },
            },
          },
        }),
      ],
    },
    steps,
  },
]
