#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Before anything else is loaded: a mesh starts a dozen of these at once, and compiling is most of what a start costs.
enableCompileCache(join(import.meta.dirname, '../../../.cache/compile'))

const { run } = await import('./run.ts')
await run(process.argv.slice(2))
