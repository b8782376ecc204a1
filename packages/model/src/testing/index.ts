// What tests and benchmarks of other packages share: chance with a seed, traces of any size.
export { type GenerateOptions, generateTrace } from './generate-trace.ts'
export { pick, type Random, randomHex, randomInteger, seededRandom } from './random.ts'
