import { storeContract } from './contract.ts'
import { MemoryStore } from './memory.ts'

storeContract('memory', options => new MemoryStore(options))
