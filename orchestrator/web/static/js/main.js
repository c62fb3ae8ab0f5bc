// What every page does; a page's own modules stand beside this one.
import { startActions } from "./actions.js";
import { startCounts } from "./counts.js";
import { startConnections } from "./connections.js";
import { startCopying } from "./copy.js";
import { startDialog } from "./dialog.js";
import { startFiles } from "./files.js";
import { startFilters } from "./filters.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";
import { startThemeSwitch } from "./switches.js";
import { startTimes } from "./times.js";

startThemeSwitch();
startTimes();
startMenus();
startDialog();
startActions();
startFiles();
startCopying();
startConnections();
startFilters();
startCounts();
startKeys();
startLive();
