import { type Case, get } from '../harness/case.ts'
import { echo } from '../harness/upstream.ts'

const paths = (...list: string[]) => list.map(path => ({ send: get(path) }))
const swap = { pattern: { regex: '^/service/([^/]+)(/.*)$' }, substitution: '\\2/instance/\\1' }

export const rewriteCases: Case[] = [
  {
    name: 'a path by regex',
    covers: 'regex_rewrite: groups, every match, the query kept, x-envoy-original-path also when nothing matches',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/service' }, route: { cluster: 'app', regex_rewrite: swap } },
        {
          match: { prefix: '/each' },
          route: { cluster: 'app', regex_rewrite: { pattern: { regex: 'one' }, substitution: 'two' } },
        },
        {
          match: { prefix: '/case' },
          route: { cluster: 'app', regex_rewrite: { pattern: { regex: '(?i)/AAA/' }, substitution: '/[\\0]/' } },
        },
        {
          match: { prefix: '/empty' },
          route: { cluster: 'app', regex_rewrite: { pattern: { regex: 'x*' }, substitution: '-' } },
        },
      ],
    },
    steps: paths(
      '/service/foo/v1/api?q=/service/a/b',
      '/service',
      '/each/one/one/ONE?one',
      '/case/aAa/x',
      '/empty/xxaxx',
    ),
  },
  {
    name: 'a prefix rewrite of other matches',
    covers: 'prefix_rewrite: a regex or exact match is replaced whole, a separated prefix as a prefix; case_sensitive',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { safe_regex: { regex: '/r/.*' } }, route: { cluster: 'app', prefix_rewrite: '/new' } },
        { match: { path_separated_prefix: '/sep' }, route: { cluster: 'app', prefix_rewrite: '/new' } },
        { match: { prefix: '/Loud', case_sensitive: false }, route: { cluster: 'app', prefix_rewrite: '/quiet' } },
        { match: { prefix: '/slash/' }, route: { cluster: 'app', prefix_rewrite: '/' } },
      ],
    },
    steps: paths('/r/a/b?q', '/sep', '/sep/x?q', '/LOUD/x', '/slash//x'),
  },
  {
    name: 'a path by a format string',
    covers: 'path_rewrite: operators; what becomes of the query',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/a' }, route: { cluster: 'app', path_rewrite: '/new/%REQ(x-to)%' } },
        { match: { prefix: '/b' }, route: { cluster: 'app', path_rewrite: '%REQ(x-to)%' } },
        { match: { prefix: '/c' }, route: { cluster: 'app', path_rewrite: '/x?%REQ(x-to)%' } },
      ],
    },
    steps: ['/a/1?q=1', '/b/1?q=1', '/c/1?q=1', '/c'].flatMap(path => [
      { send: get(path, { 'x-to': 'there' }) },
      { send: get(path) },
    ]),
  },
  {
    name: 'hosts by header and path',
    covers: 'host_rewrite_header, host_rewrite_path_regex, host_rewrite; what is empty rewrites nothing',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/header' }, route: { cluster: 'app', host_rewrite_header: 'X-Host' } },
        {
          match: { prefix: '/regex' },
          route: {
            cluster: 'app',
            host_rewrite_path_regex: { pattern: { regex: '^/regex/([^/]*).*' }, substitution: '\\1.test' },
          },
        },
        { match: { prefix: '/format' }, route: { cluster: 'app', host_rewrite: '%REQ(x-host)%' } },
      ],
    },
    steps: [
      { send: get('/header', { 'x-host': 'by-header.test' }) },
      { send: get('/header', { 'x-host': '' }) },
      { send: get('/header') },
      { send: get('/regex/inner/x?q') },
      { send: get('/regex') },
      { send: get('/format', { 'x-host': 'by-format.test:80' }) },
      { send: get('/format') },
    ],
  },
  {
    name: 'x-forwarded-host',
    covers: 'append_x_forwarded_host with several rewrites; the last entry is not repeated; not without a rewrite',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/plain' }, route: { cluster: 'app', append_x_forwarded_host: true } },
        {
          match: { prefix: '/header' },
          route: { cluster: 'app', host_rewrite_header: 'x-host', append_x_forwarded_host: true },
        },
        {
          match: { prefix: '/' },
          route: { cluster: 'app', host_rewrite_literal: 'inner.test', append_x_forwarded_host: true },
        },
      ],
    },
    steps: [
      { send: get('/plain') },
      { send: get('/header', { 'x-host': 'other.test' }) },
      { send: get('/', { 'x-forwarded-host': 'first.test, example.test' }) },
      { send: get('/', { host: 'inner.test' }) },
    ],
  },
  {
    name: 'what mutations see of a rewrite',
    covers: 'the headers are changed before path and host are; x-envoy-original-path is seen by the log',
    upstreams: { app: echo },
    config: {
      accessLog: '%REQ(:PATH)% %REQ(x-envoy-original-path)% %REQ(:AUTHORITY)% %PATH% %PATH(NQ:ORIG)% %PATH(WQ:PATH)%\n',
      routes: [
        {
          match: { prefix: '/old' },
          route: { cluster: 'app', prefix_rewrite: '/new', host_rewrite_header: 'x-to' },
          request_headers_to_add: [
            { header: { key: 'x-path', value: '%REQ(:PATH)% %REQ(:AUTHORITY)%' } },
            { header: { key: 'x-to', value: 'added.test' } },
          ],
          response_headers_to_add: [{ header: { key: 'x-path', value: '%REQ(:PATH)% %REQ(:AUTHORITY)%' } }],
        },
      ],
    },
    steps: paths('/old/a?q=1'),
  },
  {
    name: 'a redirect by regex',
    covers: 'RedirectAction: regex_rewrite, path_rewrite, strip_query with each of them, a scheme, a port',
    config: {
      accessLog: '%REQ(:PATH)% %REQ(x-envoy-original-path)% %PATH(WQ:PATH)% %RESP(location)%\n',
      routes: [
        { match: { prefix: '/service' }, redirect: { regex_rewrite: swap } },
        { match: { prefix: '/strip' }, redirect: { strip_query: true, regex_rewrite: swap } },
        { match: { prefix: '/format-strip' }, redirect: { path_rewrite: '/to/%REQ(x-to)%', strip_query: true } },
        { match: { prefix: '/format' }, redirect: { path_rewrite: '/to/%REQ(x-to)%' } },
        { match: { prefix: '/prefix' }, redirect: { prefix_rewrite: '', strip_query: true } },
        { match: { safe_regex: { regex: '/whole/.*' } }, redirect: { prefix_rewrite: '/new' } },
        { match: { prefix: '/own-query' }, redirect: { path_redirect: '/x?own', strip_query: true } },
        {
          match: { prefix: '/all' },
          redirect: { scheme_redirect: 'HTTPS', host_redirect: 'h.test', port_redirect: 8443, response_code: 'FOUND' },
        },
      ],
    },
    steps: [
      '/service/a/b?q=1',
      '/strip/a?q',
      '/format?q=1',
      '/format-strip?q=1',
      '/prefix/x?q',
      '/whole/a?q',
      '/own-query?q',
      '/all?q',
    ].map(path => ({ send: get(path, { 'x-to': 'there' }) })),
  },
]
