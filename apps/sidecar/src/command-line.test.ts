import { expect, test } from 'vitest'
import { parseCommandLine } from './command-line.ts'

const parse = (line: string) => parseCommandLine(line.split(' '))

test("Envoy's flags in each of their spellings", () => {
  expect(
    parse('-c e.yaml --service-cluster front --service-node=n1 --service-zone z -l warn --concurrency 2'),
  ).toMatchObject({
    type: 'run',
    options: {
      configPath: 'e.yaml',
      serviceCluster: 'front',
      serviceNode: 'n1',
      serviceZone: 'z',
      logLevel: 'warning',
      concurrency: 2,
      mode: 'serve',
      fileFlushInterval: 10_000,
      drainTime: 600,
      drainStrategy: 'gradual',
      parentShutdownTime: 900,
    },
  })
  expect(
    parse('--config-path=e.yaml --mode validate --disable-hot-restart --base-id 3 --drain-strategy immediate'),
  ).toMatchObject({
    options: { configPath: 'e.yaml', mode: 'validate', disableHotRestart: true, baseId: 3, drainStrategy: 'immediate' },
  })
})

test.each([
  ['--nope', 'unknown flag --nope: --help lists those there are'],
  ['-c e.yaml extra', "'extra' is not a flag: --help lists those there are"],
  ['-l info', 'At least one of --config-path or --config-yaml should be non-empty'],
  ['-c e.yaml -l loud', "--log-level takes one of trace, debug, info, warning, error, critical, off, not 'loud'"],
  ['-c e.yaml --concurrency many', "--concurrency takes a whole number from 0 up, not 'many'"],
  ['-c e.yaml --file-flush-interval-msec 0', "--file-flush-interval-msec takes a whole number from 1 up, not '0'"],
])('%s', (line, message) => {
  expect(parse(line)).toEqual({ type: 'error', message })
})

test('everything that is wrong is said at once', () => {
  const parsed = parse('--mode x --drain-time-s y')
  expect(parsed.type === 'error' && parsed.message.split('\n')).toHaveLength(3)
})

test('help and versions need no configuration', () => {
  expect(parse('-h').type).toBe('help')
  expect(parse('--version').type).toBe('version')
})

test('the transport is of the environment', () => {
  const parseWith = (value: string) => parseCommandLine(['-c', 'a.yaml'], { HOPSCOPE_TRANSPORT: value })
  expect(parse('-c a.yaml')).toMatchObject({ options: { transport: 'auto' } })
  expect(parseWith('socket')).toMatchObject({ options: { transport: 'socket' } })
  expect(parseWith('sokcet')).toEqual({
    type: 'error',
    message: "HOPSCOPE_TRANSPORT is one of auto, socket, handle, not 'sokcet'",
  })
})
