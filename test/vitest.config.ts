import { defineConfig } from 'vitest/config'

/**
 * The suites. `npm test` runs unit, process and scenarios; CI runs all of them.
 * What needs Envoy, Zipkin, Docker or Chromium finds it, or says by name what it skipped and how to get it.
 */
const suite = (name: string, include: string[], options: object = {}) => ({
  extends: true as const,
  test: { name, include, ...options },
})

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    environment: 'node',
    // For a machine on which everything else wants to run as well; what never comes fails all the same.
    testTimeout: 60_000,
    hookTimeout: 150_000,
    teardownTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      suite('unit', ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'apps/*/src/**/*.test.tsx']),
      suite('process', ['test/structure/**/*.test.ts', 'test/process/**/*.test.ts', 'test/hostile/**/*.test.ts']),
      suite('scenarios', ['test/scenarios/**/*.test.ts'], { fileParallelism: false, testTimeout: 180_000 }),
      // Two servers start for a file; one of them takes its time.
      suite('conformance', ['test/conformance/**/*.test.ts'], {
        fileParallelism: false,
        testTimeout: 180_000,
      }),
      suite('docker', ['test/docker/**/*.test.ts'], {
        fileParallelism: false,
        testTimeout: 600_000,
        hookTimeout: 600_000,
      }),
      suite('fresh', ['test/fresh/**/*.test.ts'], { testTimeout: 600_000, hookTimeout: 180_000 }),
      suite('browser', ['test/browser/**/*.test.ts'], {
        fileParallelism: false,
        testTimeout: 180_000,
      }),
    ],
  },
})
