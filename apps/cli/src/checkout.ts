import { join } from 'node:path'

/** The checkout that this command belongs to: where the apps and scenarios are. */
export const checkout = join(import.meta.dirname, '../../..')
