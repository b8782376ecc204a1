import { type Case, get, request } from '../harness/case.ts'
import { ALWAYS, config, filter, NEVER, perFilter, routes } from './filter-configs.ts'

const csrf = (fields: Record<string, unknown> = {}) => [
  filter('csrf', 'csrf.v3.CsrfPolicy', {
    filter_enabled: { default_value: ALWAYS, runtime_key: 'csrf.on' },
    ...fields,
  }),
]
const post = (headers: Record<string, string>, path = '/') => ({ send: request('POST', path, headers) })

export const csrfCases: Case[] = [
  {
    name: 'csrf: who asks',
    covers:
      '403 Invalid origin; origin, else referer; host and port; missing_source_origin, request_valid, request_invalid',
    config: { filters: csrf(), tracing: {} },
    steps: [
      post({ origin: 'http://example.test' }),
      post({ origin: 'https://example.test' }),
      post({ origin: 'http://example.test:80' }),
      post({ origin: 'http://bad.test' }),
      post({ origin: 'example.test' }),
      post({ origin: 'null' }),
      post({ referer: 'http://example.test/a/b?c' }),
      post({ origin: 'http://bad.test', referer: 'http://example.test/' }),
      post({ origin: '', referer: 'http://example.test/' }),
      post({}),
    ],
    spans: 10,
  },
  {
    name: 'csrf: which methods',
    covers: 'POST, PUT, DELETE, PATCH',
    config: { filters: csrf() },
    steps: ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'TRACE'].map(method => ({
      send: request(method, '/', { origin: 'http://bad.test' }),
    })),
  },
  {
    name: 'csrf: other origins that may',
    covers: 'additional_origins, tried on host and port',
    config: {
      filters: csrf({
        additional_origins: [
          { exact: 'other.test:8080' },
          { suffix: '.good.test' },
          { safe_regex: { regex: 'r[0-9]' } },
        ],
      }),
    },
    steps: [
      post({ origin: 'http://other.test:8080' }),
      post({ origin: 'http://other.test' }),
      post({ origin: 'http://a.good.test' }),
      post({ origin: 'http://r1' }),
      post({ origin: 'http://r10' }),
    ],
  },
  {
    name: 'csrf: off, in the shadow, of routes',
    covers: 'filter_enabled, shadow_enabled, runtime keys, typed_per_filter_config',
    config: {
      filters: csrf(),
      routes: routes({
        '/off': perFilter('csrf', config('csrf.v3.CsrfPolicy', { filter_enabled: { default_value: NEVER } })),
        '/shadow': perFilter(
          'csrf',
          config('csrf.v3.CsrfPolicy', {
            filter_enabled: { default_value: NEVER },
            shadow_enabled: { default_value: ALWAYS },
          }),
        ),
      }),
    },
    steps: [
      post({ origin: 'http://bad.test' }, '/off'),
      post({ origin: 'http://bad.test' }, '/shadow'),
      post({ origin: 'http://example.test' }, '/shadow'),
      post({ origin: 'http://bad.test' }),
      { admin: '/runtime_modify?csrf.on=0', method: 'POST' },
      post({ origin: 'http://bad.test' }),
      { send: get('/') },
    ],
  },
]
