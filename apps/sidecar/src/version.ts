import manifest from '../package.json' with { type: 'json' }

export const NAME = 'hopscope'
export const VERSION: string = manifest.version
