export type * from './span.ts'
