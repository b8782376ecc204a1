import { readFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml'
import { UserError } from '../user-error.ts'
import { BOUND_FORMS, isBound } from './bound.ts'
import { nearest } from './nearest.ts'
import {
  type AgainstEarlier,
  type Bound,
  type Call,
  type Calls,
  type ComparedRun,
  type Comparison,
  type Expectations,
  type Knob,
  type Meanwhile,
  PERCENTILES,
  type Scenario,
  type Step,
} from './scenario.ts'

/** Reads a scenario.yaml. @throws UserError with every problem as `file:line:col: path: what` */
export function readScenario(file: string): Scenario {
  return new ScenarioReader(file).read()
}

type Fields = Record<string, unknown>
type Path = readonly (string | number)[]

class ScenarioReader {
  readonly #file: string
  readonly #problems: { offset: number; text: string }[] = []
  readonly #lines = new LineCounter()
  #contents: Node | null = null

  constructor(file: string) {
    this.#file = file
  }

  read(): Scenario {
    const fields = this.#parse()
    this.#known(
      fields,
      [],
      ['title', 'teaches', 'compose', 'entry', 'collector', 'admins', 'knobs', 'steps', 'compare'],
    )
    const folder = dirname(this.#file)
    const knobs = this.#mapOf(fields.knobs, ['knobs'], (value, path) => this.#knob(value, path))
    const entry = this.#entry(fields.entry, ['entry'])
    const scenario: Scenario = {
      name: basename(folder),
      folder,
      composeFile: resolve(folder, this.#text(fields.compose, ['compose'], 'compose.yaml')),
      title: this.#text(fields.title, ['title']),
      teaches: this.#text(fields.teaches, ['teaches']),
      entry,
      collector: this.#place(fields.collector ?? { service: 'collector', port: 9411 }, ['collector'], []),
      admins: this.#mapOf(fields.admins, ['admins'], (value, path) => this.#number(value, path)),
      knobs,
      steps: this.#list(fields.steps, ['steps']).map((step, i) => this.#step(step, ['steps', i], knobs)),
      compare: fields.compare === undefined ? undefined : this.#comparison(fields.compare, entry, knobs),
    }
    this.#references(scenario)
    if (this.#problems.length > 0) throw new UserError(this.#report())
    return scenario
  }

  #parse(): Fields {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      throw new UserError(`${this.#file}: cannot be read: ${(error as NodeJS.ErrnoException).code}`)
    }
    const document = parseDocument(text, { lineCounter: this.#lines, merge: true, prettyErrors: false })
    for (const error of document.errors) this.#problems.push({ offset: error.pos[0], text: error.message })
    this.#contents = document.contents
    if (this.#problems.length > 0) throw new UserError(this.#report())
    return this.#map(document.toJS(), [])
  }

  /** What steps refer to by name: proxies in `admins`, earlier steps. */
  #references({ admins, steps }: Scenario): void {
    for (const [i, { runtime, waitFor, during, expect }] of steps.entries()) {
      const path = ['steps', i] as const
      const proxies: [Path, string][] = [
        ...Object.keys(runtime).map((name): [Path, string] => [[...path, 'runtime', name], name]),
        ...Object.keys(waitFor).map((name): [Path, string] => [[...path, 'wait_for', name], name]),
        ...during.flatMap((one, j) =>
          Object.keys('until' in one ? one.until : {}).map((name): [Path, string] => [
            [...path, 'during', j, 'until', name],
            name,
          ]),
        ),
        ...Object.keys(expect.stats ?? {}).map((name): [Path, string] => [[...path, 'expect', 'stats', name], name]),
      ]
      for (const [at, name] of proxies) {
        if (!(name in admins))
          this.#problem(at, `admins does not name the port of ${name}${nearest(name, Object.keys(admins))}`)
      }
      const earlier = steps.slice(0, i).flatMap(step => (step.calls === undefined ? [] : step.name))
      for (const percent of PERCENTILES) {
        const of = expect[`p${percent}`]?.of
        if (of !== undefined && !earlier.includes(of))
          this.#problem(
            [...path, 'expect', `p${percent}`, 'of'],
            `no earlier step with calls is called ${of}${nearest(of, earlier)}`,
          )
      }
    }
  }

  /** `variable` and a list of `values`, or a map: what each value sets. */
  #knob(value: unknown, path: Path): Knob {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['about', 'variable', 'values'])
    const about = this.#text(fields.about, [...path, 'about'])
    const at: Path = [...path, 'values']
    let variables: Record<string, Record<string, string>>
    let values: string[]
    if (fields.variable === undefined && fields.values !== undefined && !Array.isArray(fields.values)) {
      variables = this.#mapOf(fields.values, at, (item, place) =>
        this.#mapOf(item, place, (one, where) => this.#text(one, where)),
      )
      values = Object.keys(variables)
    } else {
      const variable = this.#text(fields.variable, [...path, 'variable'])
      values = this.#list(fields.values, at).map((item, i) => this.#text(item, [...at, i]))
      variables = Object.fromEntries(values.map(one => [one, { [variable]: one }]))
    }
    if (values.length < 2) this.#problem(at, 'expected at least two values, the first is the default')
    return { about, values, variables }
  }

  #step(value: unknown, path: Path, knobs: Readonly<Record<string, Knob>>): Step {
    const fields = this.#map(value, path)
    this.#known(fields, path, [
      'name',
      'knobs',
      'stop',
      'start',
      'runtime',
      'before',
      'wait_for',
      'calls',
      'during',
      'expect',
      'only',
    ])
    const settings = this.#settings(fields.knobs, [...path, 'knobs'], knobs)
    const only = fields.only === undefined ? undefined : this.#only(fields.only, [...path, 'only'])
    const calls = fields.calls === undefined ? undefined : this.#calls(fields.calls, [...path, 'calls'])
    return {
      name: this.#text(fields.name, [...path, 'name']),
      knobs: settings,
      stop: this.#texts(fields.stop, [...path, 'stop']),
      start: this.#texts(fields.start, [...path, 'start']),
      runtime: this.#mapOf(fields.runtime, [...path, 'runtime'], (item, at) =>
        this.#mapOf(item, at, (one, place) => this.#text(one, place)),
      ),
      before: this.#list(fields.before ?? [], [...path, 'before']).map((item, i) =>
        this.#before(item, [...path, 'before', i]),
      ),
      waitFor: this.#bounds(fields.wait_for, [...path, 'wait_for']),
      ...(calls === undefined ? {} : { calls }),
      during: this.#list(fields.during ?? [], [...path, 'during']).map((item, i) =>
        this.#meanwhile(item, [...path, 'during', i], knobs),
      ),
      expect: this.#expectations(fields.expect ?? {}, [...path, 'expect'], calls),
      ...(only === undefined ? {} : { only }),
    }
  }

  #settings(value: unknown, path: Path, knobs: Readonly<Record<string, Knob>>): Record<string, string> {
    const settings = this.#mapOf(value, path, (item, at) => this.#text(item, at))
    for (const [name, setting] of Object.entries(settings)) {
      const knob = knobs[name]
      if (knob === undefined)
        this.#problem([...path, name], `there is no knob ${name}${nearest(name, Object.keys(knobs))}`)
      else if (!knob.values.includes(setting))
        this.#problem([...path, name], `expected ${knob.values.join(', ')}, got ${setting}`)
    }
    return settings
  }

  #comparison(value: unknown, entry: Scenario['entry'], knobs: Readonly<Record<string, Knob>>): Comparison {
    const fields = this.#map(value, ['compare'])
    this.#known(fields, ['compare'], ['path', 'runs'])
    const runs = this.#mapOf(fields.runs, ['compare', 'runs'], (item, at): Omit<ComparedRun, 'name'> => {
      const run = this.#map(item, at)
      this.#known(run, at, ['knobs', 'entry'])
      return {
        knobs: this.#settings(run.knobs, [...at, 'knobs'], knobs),
        entry: run.entry === undefined ? entry : this.#place(run.entry, [...at, 'entry'], []),
      }
    })
    if (Object.keys(runs).length < 2) this.#problem(['compare', 'runs'], 'expected at least two, by name')
    return {
      path: this.#text(fields.path, ['compare', 'path'], entry.path),
      runs: Object.entries(runs).map(([name, run]) => ({ name, ...run })),
    }
  }

  #before(value: unknown, path: Path): Call {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['call'])
    return this.#call(fields.call, [...path, 'call'])
  }

  #meanwhile(value: unknown, path: Path, knobs: Readonly<Record<string, Knob>>): Meanwhile {
    const fields = this.#map(value, path)
    const kinds = ['until', 'call', 'stop', 'start', 'knobs']
    this.#known(fields, path, kinds)
    const [kind, ...more] = Object.keys(fields)
    if (kind === undefined || more.length > 0) this.#problem(path, `expected one of ${kinds.join(', ')}`)
    const at = [...path, kind ?? '']
    if (kind === 'until') return { until: this.#bounds(fields.until, at) }
    if (kind === 'stop') return { stop: this.#texts(fields.stop, at) }
    if (kind === 'start') return { start: this.#texts(fields.start, at) }
    if (kind === 'knobs') return { knobs: this.#settings(fields.knobs, at, knobs) }
    return { call: this.#call(fields.call, at) }
  }

  #call(value: unknown, path: Path): Call {
    const place = this.#place(value ?? {}, path, ['path'])
    return { ...place, path: this.#text((value as Fields | undefined)?.path, [...path, 'path'], '/') }
  }

  #only(value: unknown, path: Path): Step['only'] {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['proxy', 'reason'])
    if (fields.proxy !== 'hopscope')
      this.#problem([...path, 'proxy'], 'expected hopscope: what holds for Envoy alone has no place here')
    return { proxy: 'hopscope', reason: this.#text(fields.reason, [...path, 'reason']) }
  }

  #calls(value: unknown, path: Path): Calls {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['to', 'method', 'path', 'headers', 'body', 'count', 'parallel', 'threads'])
    return {
      ...(fields.to === undefined ? {} : { to: this.#place(fields.to, [...path, 'to'], []) }),
      method: this.#text(fields.method, [...path, 'method'], 'GET'),
      path: this.#text(fields.path, [...path, 'path'], '/'),
      headers: this.#mapOf(fields.headers, [...path, 'headers'], (item, at) => this.#text(item, at)),
      ...(fields.body === undefined ? {} : { body: this.#text(fields.body, [...path, 'body']) }),
      count: this.#number(fields.count ?? 1, [...path, 'count']),
      parallel: this.#number(fields.parallel ?? 1, [...path, 'parallel']),
      threads: this.#number(fields.threads ?? 1, [...path, 'threads']),
    }
  }

  #expectations(value: unknown, path: Path, calls: Calls | undefined): Expectations {
    const fields = this.#map(value, path)
    const ofAnswers = [
      'status',
      'statuses',
      'took',
      'headers',
      'body',
      'counts',
      'spread',
      'trace',
      'nested',
      'overlap',
      'gaps',
      'critical_path',
      ...PERCENTILES.map(percent => `p${percent}`),
    ]
    this.#known(fields, path, [...ofAnswers, 'stats', 'traces', 'spans', 'links', 'output'])
    if (calls === undefined) {
      for (const name of ofAnswers) {
        if (fields[name] !== undefined) this.#problem([...path, name], 'this step makes no calls')
      }
    }
    const at = (name: string): Path => [...path, name]
    const expect: { -readonly [K in keyof Expectations]: Expectations[K] } = {}
    if (fields.status !== undefined)
      expect.status = this.#mapOf(fields.status, at('status'), (item, place) => this.#number(item, place))
    if (fields.statuses !== undefined) {
      expect.statuses = this.#list(fields.statuses, at('statuses')).map((item, i) =>
        this.#number(item, [...at('statuses'), i]),
      )
    }
    if (fields.took !== undefined) {
      const took = this.#map(fields.took, at('took'))
      this.#known(took, at('took'), ['min_ms', 'max_ms'])
      expect.took = {
        minMs: this.#number(took.min_ms ?? 0, [...at('took'), 'min_ms']),
        maxMs:
          took.max_ms === undefined ? Number.POSITIVE_INFINITY : this.#number(took.max_ms, [...at('took'), 'max_ms']),
      }
    }
    if (fields.counts !== undefined) {
      expect.counts = this.#bounds(fields.counts, at('counts'))
      this.#places(expect.counts, at('counts'))
    }
    if (fields.spread !== undefined) {
      expect.spread = this.#mapOf(fields.spread, at('spread'), (item, place) =>
        this.#list(item, place).map((count, i) => this.#number(count, [...place, i])),
      )
      this.#places(expect.spread, at('spread'))
    }
    if (fields.headers !== undefined) {
      expect.headers = this.#mapOf(fields.headers, at('headers'), (item, place) =>
        item === null ? null : this.#text(item, place),
      )
    }
    if (fields.body !== undefined) expect.body = fields.body
    if (fields.stats !== undefined) {
      expect.stats = this.#bounds(fields.stats, at('stats'))
    }
    if (fields.trace !== undefined) expect.trace = this.#text(fields.trace, at('trace'))
    if (fields.nested !== undefined) {
      if (fields.nested !== true) this.#problem(at('nested'), `expected true, got ${JSON.stringify(fields.nested)}`)
      expect.nested = true
    }
    if (fields.overlap !== undefined) {
      expect.overlap = this.#ofSpans(fields.overlap, at('overlap'), 'most', (one, place) => ({
        most: this.#bound(one, place),
      }))
    }
    if (fields.gaps !== undefined) {
      expect.gaps = this.#ofSpans(fields.gaps, at('gaps'), 'ms', (one, place) => ({
        ms: this.#list(one, place).map((bound, i) => this.#bound(bound, [...place, i])),
      }))
    }
    if (fields.critical_path !== undefined) {
      expect.criticalPath = this.#ofSpans(fields.critical_path, at('critical_path'), 'count', (one, place) => ({
        count: this.#bound(one, place),
      }))
    }
    if (fields.traces !== undefined) expect.traces = this.#texts(fields.traces, at('traces'))
    if (fields.spans !== undefined) expect.spans = this.#list(fields.spans, at('spans'))
    if (fields.links !== undefined)
      expect.links = this.#mapOf(fields.links, at('links'), (item, place) => this.#number(item, place))
    for (const name of PERCENTILES.map(percent => `p${percent}` as const)) {
      if (fields[name] !== undefined) expect[name] = this.#againstEarlier(fields[name], at(name))
    }
    if (fields.output !== undefined)
      expect.output = this.#mapOf(fields.output, at('output'), (item, place) => this.#output(item, place))
    return expect
  }

  /** A list of `{ spans: part of a span, NAME: what of those that are like it }`. */
  #ofSpans<T>(value: unknown, path: Path, name: string, read: (value: unknown, path: Path) => T) {
    return this.#list(value, path).map((item, i) => {
      const place = [...path, i]
      const one = this.#map(item, place)
      this.#known(one, place, ['spans', name])
      return { spans: this.#map(one.spans, [...place, 'spans']), ...read(one[name], [...place, name]) }
    })
  }

  #places(values: Fields, path: Path): void {
    for (const name of Object.keys(values))
      if (!/^(body|header)\../.test(name)) this.#problem([...path, name], 'expected body.FIELD or header.NAME')
  }

  #againstEarlier(value: unknown, path: Path): AgainstEarlier {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['of', 'factor', 'plus_ms'])
    return {
      of: this.#text(fields.of, [...path, 'of']),
      factor: this.#number(fields.factor ?? 1, [...path, 'factor']),
      plusMs: this.#number(fields.plus_ms ?? 0, [...path, 'plus_ms']),
    }
  }

  /** A list of lines that must be there, or how many of each there must be. */
  #output(value: unknown, path: Path): Record<string, Bound> {
    if (!Array.isArray(value)) return this.#mapOf(value, path, (item, at) => this.#bound(item, at))
    return Object.fromEntries(this.#texts(value, path).map(text => [text, '>= 1']))
  }

  #entry(value: unknown, path: Path): Scenario['entry'] {
    const place = this.#place(value, path, ['path'])
    return { ...place, path: this.#text((value as Fields | null)?.path, [...path, 'path'], '/') }
  }

  #place(value: unknown, path: Path, more: readonly string[]): { service: string; port: number } {
    const fields = this.#map(value, path)
    this.#known(fields, path, ['service', 'port', ...more])
    return {
      service: this.#text(fields.service, [...path, 'service']),
      port: this.#number(fields.port, [...path, 'port']),
    }
  }

  /** Two levels of names, then a bound: `proxy: { stat: bound }`. */
  #bounds(value: unknown, path: Path): Record<string, Record<string, Bound>> {
    return this.#mapOf(value, path, (item, place) => this.#mapOf(item, place, (one, where) => this.#bound(one, where)))
  }

  #bound(value: unknown, path: Path): Bound {
    if (isBound(value)) return value
    this.#problem(path, `expected ${BOUND_FORMS}, got ${JSON.stringify(value)}`)
    return 0
  }

  #text(value: unknown, path: Path, otherwise?: string): string {
    if (value === undefined && otherwise !== undefined) return otherwise
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    this.#problem(path, value === undefined ? 'is missing' : `expected a text, got ${JSON.stringify(value)}`)
    return ''
  }

  #texts(value: unknown, path: Path): string[] {
    return this.#list(value ?? [], path).map((item, i) => this.#text(item, [...path, i]))
  }

  #number(value: unknown, path: Path): number {
    if (typeof value === 'number' && value >= 0) return value
    this.#problem(path, value === undefined ? 'is missing' : `expected a number, got ${JSON.stringify(value)}`)
    return 0
  }

  #list(value: unknown, path: Path): unknown[] {
    if (Array.isArray(value)) return value
    this.#problem(path, value === undefined ? 'is missing' : 'expected a list')
    return []
  }

  #map(value: unknown, path: Path): Fields {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Fields
    this.#problem(path, value === undefined ? 'is missing' : 'expected a map')
    return {}
  }

  #mapOf<T>(value: unknown, path: Path, read: (value: unknown, path: Path) => T): Record<string, T> {
    const fields = value === undefined ? {} : this.#map(value, path)
    return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, read(item, [...path, key])]))
  }

  #known(fields: Fields, path: Path, names: readonly string[]): void {
    for (const key of Object.keys(fields)) {
      if (!names.includes(key)) this.#problem([...path, key], `unknown field${nearest(key, names)}`)
    }
  }

  #problem(path: Path, text: string): void {
    const shown = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')
    this.#problems.push({ offset: this.#offsetOf(path), text: shown === '' ? text : `${shown}: ${text}` })
  }

  /** Where the last key of the path stands, or the nearest one above it that is there. */
  #offsetOf(path: Path): number {
    let node: unknown = this.#contents
    let offset = 0
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(part))
        if (pair === undefined) return offset
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value
      } else {
        node = (node as { items?: unknown[] } | null)?.items?.[Number(part)]
        offset = (node as Node | undefined)?.range?.[0] ?? offset
      }
    }
    return offset
  }

  #report(): string {
    const short = relative(process.cwd(), this.#file)
    const shown = short.startsWith('..') ? this.#file : short
    return this.#problems
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, text }) => {
        const { line, col } = this.#lines.linePos(offset)
        return `${shown}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${text}`
      })
      .join('\n')
  }
}
