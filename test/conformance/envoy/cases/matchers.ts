import { type Case, get, request } from '../harness/case.ts'

const answer = (name: string) => ({ name, direct_response: { status: 200, body: { inline_string: name } } })
const rest = { match: { prefix: '/' }, ...answer('rest') }
const paths = (...list: string[]) => list.map(path => ({ send: get(path) }))
const header = (matcher: object) => ({ match: { prefix: '/', headers: [matcher] } })

/** One request for each value of the field; undefined: without it. */
const values = (name: string, list: (string | undefined)[]) =>
  list.map(value => ({ send: get('/', value === undefined ? {} : { [name]: value }) }))

export const matcherCases: Case[] = [
  {
    name: 'a regex over the path',
    covers: 'safe_regex: the whole path without query; RE2 classes, groups, case, alternatives that would explode',
    config: {
      routes: [
        { match: { safe_regex: { regex: '/item/[0-9]+' } }, ...answer('item') },
        { match: { safe_regex: { regex: '(?i)/loud/\\w*' } }, ...answer('loud') },
        { match: { safe_regex: { google_re2: {}, regex: '/(x+x+)+y' } }, ...answer('explosive') },
        { match: { safe_regex: { regex: '/[^/]+/\\p{L}+' } }, ...answer('letters') },
        rest,
      ],
    },
    steps: paths(
      '/item/12?q=1',
      '/item/',
      '/item/12/x',
      '/x/item/12',
      '/LOUD/Word',
      `/${'x'.repeat(60)}`,
      '/a/word',
      '/a/b1',
    ),
  },
  {
    name: 'a prefix that ends at a slash',
    covers: 'path_separated_prefix: /foo is /foo and /foo/x, never /foobar',
    config: {
      routes: [
        { match: { path_separated_prefix: '/foo' }, ...answer('foo') },
        { match: { path_separated_prefix: '/Bar/baz', case_sensitive: false }, ...answer('bar') },
        rest,
      ],
    },
    steps: paths('/foo', '/foo/', '/foo/x', '/foo?q', '/foobar', '/FOO', '/bar/BAZ/x', '/bar/bazx'),
  },
  {
    name: 'texts of header matchers',
    covers: 'prefix, suffix, contains, regex (whole value), ignore_case; the deprecated forms of them',
    config: {
      routes: [
        { ...header({ name: 'x', string_match: { prefix: 'pre' } }), ...answer('prefix') },
        { ...header({ name: 'x', string_match: { suffix: 'FIX', ignore_case: true } }), ...answer('suffix') },
        { ...header({ name: 'x', string_match: { contains: 'mid' } }), ...answer('contains') },
        { ...header({ name: 'x', string_match: { safe_regex: { regex: '[a-c]+' } } }), ...answer('regex') },
        { ...header({ name: 'x', string_match: { prefix: 'LOUD', ignore_case: true } }), ...answer('loud') },
        rest,
      ],
    },
    steps: values('x', ['prefix', 'a suffix', 'amidst', 'abc', 'abcd', 'loudly', 'PRE', '', undefined]),
  },
  {
    name: 'several values of a header',
    covers: 'each is looked at for itself, inverted too',
    config: {
      routes: [
        { ...header({ name: 'x', string_match: { exact: '1' } }), ...answer('one') },
        { ...header({ name: 'x', string_match: { exact: '3' }, invert_match: true }), ...answer('no three') },
        { ...header({ name: 'accept', string_match: { exact: 'a,b' } }), ...answer('joined') },
        rest,
      ],
    },
    steps: ['x: 2\r\nx: 1\r\n', 'x: 2,1\r\n', 'x: 3\r\nx: 2\r\n', 'x: 3\r\n', 'accept: a\r\naccept: b\r\n', ''].map(
      fields => ({ send: `GET / HTTP/1.1\r\nhost: a\r\n${fields}\r\n` }),
    ),
  },
  {
    name: 'numbers in a header',
    covers: 'range_match: from start to before end; what is no whole number is out of it',
    config: { routes: [{ ...header({ name: 'x', range_match: { start: -10, end: 10 } }), ...answer('in') }, rest] },
    steps: values('x', ['-10', '9', '10', '-11', '+3', '007', '1.5', '', 'ten', '0x1', undefined]),
  },
  {
    name: 'a header that is missing',
    covers: 'treat_missing_header_as_empty with texts, ranges and presence, inverted or not',
    config: {
      routes: [
        {
          match: {
            path: '/exact',
            headers: [{ name: 'x', string_match: { exact: '' }, treat_missing_header_as_empty: true }],
          },
          ...answer('exact'),
        },
        {
          match: {
            path: '/inverted',
            headers: [
              { name: 'x', string_match: { exact: '1' }, invert_match: true, treat_missing_header_as_empty: true },
            ],
          },
          ...answer('inverted'),
        },
        {
          match: {
            path: '/plain-inverted',
            headers: [{ name: 'x', string_match: { exact: '1' }, invert_match: true }],
          },
          ...answer('plain inverted'),
        },
        {
          match: {
            path: '/present',
            headers: [{ name: 'x', present_match: true, treat_missing_header_as_empty: true }],
          },
          ...answer('present'),
        },
        {
          match: {
            path: '/range',
            headers: [{ name: 'x', range_match: { end: 9 }, treat_missing_header_as_empty: true }],
          },
          ...answer('range'),
        },
        {
          match: { path: '/no-pseudo', headers: [{ name: ':authority', present_match: true }] },
          ...answer('authority'),
        },
        rest,
      ],
    },
    steps: [
      ...['/exact', '/inverted', '/plain-inverted', '/present', '/range'].flatMap(path => [
        { send: get(path) },
        { send: get(path, { x: '1' }) },
      ]),
      { send: get('/no-pseudo', { host: '' }) },
      { send: get('/no-pseudo') },
    ],
  },
  {
    name: 'query parameters',
    covers: 'presence, absence and texts; the first of its name; nothing is decoded; all have to match',
    config: {
      routes: [
        {
          match: { path: '/value', query_parameters: [{ name: 'q', string_match: { exact: 'a b' } }] },
          ...answer('decoded'),
        },
        {
          match: { path: '/value', query_parameters: [{ name: 'q', string_match: { prefix: 'a' } }] },
          ...answer('prefix'),
        },
        { match: { path: '/here', query_parameters: [{ name: 'q' }, { name: 'r' }] }, ...answer('both') },
        { match: { path: '/gone', query_parameters: [{ name: 'q', present_match: false }] }, ...answer('absent') },
        {
          match: {
            path: '/regex',
            query_parameters: [{ name: 'q', string_match: { safe_regex: { regex: '[0-9]*' } } }],
          },
          ...answer('digits'),
        },
        rest,
      ],
    },
    steps: paths(
      '/value?q=a%20b',
      '/value?q=a+b',
      '/value?q=b&q=a',
      '/value?Q=a',
      '/here?q&r=1',
      '/here?q=1',
      '/gone?q=',
      '/gone?p',
      '/regex?q',
      '/regex?q=12',
      '/regex?q=1x',
      '/regex',
    ),
  },
  {
    name: 'cookies',
    covers: 'RouteMatch.cookies: several in a field, quotes, the first of a name, inverted',
    config: {
      routes: [
        { match: { path: '/c', cookies: [{ name: 'c', string_match: { exact: '1' } }] }, ...answer('one') },
        {
          match: { path: '/i', cookies: [{ name: 'c', string_match: { exact: '1' }, invert_match: true }] },
          ...answer('not one'),
        },
        rest,
      ],
    },
    steps: [
      ...['c=1', 'a=2; c=1', 'c="1"', 'c=2; c=1', 'C=1', 'c', ''].map(cookie => ({ send: get('/c', { cookie }) })),
      { send: get('/c') },
      { send: get('/i') },
      { send: get('/i', { cookie: 'c=1' }) },
      { send: get('/i', { cookie: 'c=2' }) },
    ],
  },
  {
    name: 'a share of the requests',
    covers: 'runtime_fraction: 0 and 100 %, and what the runtime says instead',
    config: {
      runtime: { canary: { all: 100, none: 0 } },
      routes: [
        { match: { path: '/a', runtime_fraction: { default_value: { numerator: 0 } } }, ...answer('never') },
        {
          match: { path: '/b', runtime_fraction: { default_value: { numerator: 0 }, runtime_key: 'canary.all' } },
          ...answer('by runtime'),
        },
        {
          match: { path: '/c', runtime_fraction: { default_value: { numerator: 100 }, runtime_key: 'canary.none' } },
          ...answer('not by runtime'),
        },
        {
          match: {
            path: '/d',
            runtime_fraction: { default_value: { numerator: 1_000_000, denominator: 'MILLION' }, runtime_key: 'unset' },
          },
          ...answer('always'),
        },
        rest,
      ],
    },
    steps: paths('/a', '/b', '/c', '/d'),
  },
  {
    name: 'gRPC requests alone',
    covers: 'RouteMatch.grpc by content type',
    config: { routes: [{ match: { prefix: '/', grpc: {} }, ...answer('grpc') }, rest] },
    steps: values('content-type', [
      'application/grpc',
      'application/grpc+proto',
      'application/grpc-web',
      'text/plain',
      undefined,
    ]),
  },
  {
    name: 'matches of several kinds',
    covers: 'all conditions of a route have to hold, and the first route of which they do is taken',
    config: {
      routes: [
        {
          match: {
            prefix: '/',
            headers: [{ name: ':method', string_match: { safe_regex: { regex: 'GET|HEAD' } } }, { name: 'x' }],
            query_parameters: [{ name: 'q' }],
          },
          ...answer('all'),
        },
        { match: { prefix: '/', headers: [{ name: ':path', string_match: { suffix: '?q' } }] }, ...answer('path') },
        rest,
      ],
    },
    steps: [
      { send: get('/?q', { x: '' }) },
      { send: request('DELETE', '/?q', { x: '' }) },
      { send: get('/?q') },
      { send: get('/', { x: '' }) },
    ],
  },
]
