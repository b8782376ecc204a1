// What the address asks for is on its way before there is a page: trace and worker, the page's own file, React.
import { openPage } from './pages.ts'
import { currentRoute, upgradeAddress } from './shared/navigation.ts'
import { applyTheme } from './shared/theme.ts'
import { startTrace } from './trace/start-trace.ts'

applyTheme()
upgradeAddress()

const route = currentRoute()
if (route.page === 'trace') startTrace(route)
const [{ mount }] = await Promise.all([import('./mount.tsx'), openPage(route)])
mount(document.getElementById('root')!)
