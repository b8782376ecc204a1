import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { checkout } from '../checkout.ts'
import { UserError } from '../user-error.ts'
import { readCompose } from './read-compose.ts'
import { appOf } from './service.ts'

const folder = mkdtempSync(join(tmpdir(), 'compose-'))
afterAll(() => rmSync(folder, { recursive: true }))

function read(text: string, variables: Record<string, string> = {}) {
  const file = join(folder, 'compose.yaml')
  writeFileSync(file, text)
  return readCompose(file, name => variables[name])
}

function problemsOf(text: string): string[] {
  try {
    read(text)
  } catch (error) {
    if (error instanceof UserError)
      return error.message.split('\n').map(line => line.slice(line.indexOf('compose.yaml:') + 13))
    throw error
  }
  return []
}

test('a service in the network namespace of another, with a mounted file, ports and dependencies', () => {
  const services = read(
    `
x-app: &app
  image: hopscope/app
  environment: { SHARED: "1" }
services:
  shop:
    <<: *app
    command: [apps/service/src/main.ts]
    environment: [NAME=shop, "WORKERS=\${WORKERS:-3}"]
    depends_on: [proxy]
  proxy:
    <<: *app
    command: apps/sidecar/src/main.ts -c /etc/envoy/envoy.yaml
    network_mode: service:shop
    volumes: ["./envoy/shop.yaml:/etc/envoy/envoy.yaml:ro"]
    ports: ["127.0.0.1:15000:15000", "9000", { target: 80, published: 8080 }]
    depends_on: { shop: { condition: service_healthy } }
    profiles: [extra]
`,
    { WORKERS: '5' },
  )
  expect(services.get('shop')).toEqual({
    name: 'shop',
    command: ['apps/service/src/main.ts'],
    environment: { NAME: 'shop', WORKERS: '5' },
    pod: 'shop',
    mounts: [],
    ports: [],
    dependsOn: { proxy: 'service_started' },
    profiles: [],
  })
  expect(services.get('proxy')).toEqual({
    name: 'proxy',
    command: ['apps/sidecar/src/main.ts', '-c', '/etc/envoy/envoy.yaml'],
    environment: { SHARED: '1' },
    pod: 'shop',
    mounts: [{ source: join(folder, 'envoy/shop.yaml'), target: '/etc/envoy/envoy.yaml' }],
    ports: [{ target: 15000, published: 15000 }, { target: 9000 }, { target: 80, published: 8080 }],
    dependsOn: { shop: 'service_healthy' },
    profiles: ['extra'],
  })
  expect(appOf(services.get('proxy')!)).toBe('sidecar')
})

describe('what is not understood is named, with its place', () => {
  test.each([
    [
      'services:\n  a:\n    command: [apps/service/src/main.ts]\n    cap_add: [ALL]\n',
      ['4:5: services.a.cap_add: this key is not supported without Docker'],
    ],
    [
      'services:\n  a:\n    command: [nginx]\n',
      ['3:5: services.a.command: without Docker a service is one of ours: [apps/NAME/src/main.ts, …]'],
    ],
    [
      'services:\n  a:\n    command: [apps/service/src/main.ts]\n    network_mode: host\n',
      ['4:5: services.a.network_mode: expected service:NAME, got host'],
    ],
    [
      'services:\n  a:\n    command: [apps/service/src/main.ts]\n    depends_on: [b]\n',
      ['2:3: services.a: there is no service b'],
    ],
    ['networks: {}\nservices: {}\n', ['1:1: networks: this key is not supported without Docker']],
    [
      'services:\n  a:\n    command: [apps/service/src/main.ts]\n    volumes: ["data:/data"]\n',
      [
        '4:5: services.a.volumes: without Docker only files and folders are mounted (./file:/path:ro), got "data:/data"',
      ],
    ],
  ])('%j', (text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })

  test('all of it at once', () => {
    expect(problemsOf('services:\n  a:\n    cap_add: [ALL]\n    command: [x]\n  b: 7\n')).toHaveLength(3)
  })

  test('a syntax error has its line', () => {
    expect(problemsOf('services:\n  a: [\n')[0]).toMatch(/^3:1: /)
  })

  test('a required variable', () => {
    expect(problemsOf('services:\n  a:\n    command: ["${WHAT:?say what}"]\n')[0]).toBe(
      '3:15: variable WHAT is required: say what',
    )
  })
})

test('every compose file of the checkout can be read', () => {
  const files = readdirSync(join(checkout, 'scenarios'))
    .map(name => join(checkout, 'scenarios', name, 'compose.yaml'))
    .filter(file => !file.includes('/tour/'))
  for (const file of [join(checkout, 'docker-compose.yml'), ...files]) {
    expect(readCompose(file, () => undefined).size).toBeGreaterThan(2)
  }
})
