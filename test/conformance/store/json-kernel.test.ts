import { readFileSync } from 'node:fs'
import { compileKernel, isCompilerThere } from '@hopscope/store/assembly'
import { describe, expect, it } from 'vitest'

const HOW = 'the kernel is what its source gives (node packages/store/assembly/build.ts fetches AssemblyScript)'

describe('the JSON kernel', () => {
  it.skipIf(!isCompilerThere())(HOW, async () => {
    const committed = readFileSync(new URL('../../../packages/store/src/segments/json-kernel.wasm', import.meta.url))
    const compiled = await compileKernel()
    expect(compiled.equals(committed)).toBe(true)
  })
})
