import { migrationSets } from '../../control-plane.ts'
import { probe } from '../../probe.fixture.ts'
import { migrate } from './migrate.ts'

const [, , url = ''] = process.argv
const ran = await migrate(url, migrationSets([probe]))
process.send?.(ran.length, () => process.disconnect?.())
