// Runs the programs of the recipes. What they use beside the package is installed apart from the project's own modules.
import { join } from 'node:path';
import { pages, testPage } from './pages';

const MODULES = join(__dirname, '..', 'recipes');
/** They are about machines that this one is not. */
const WITHOUT_PROGRAMS = ['containers', 'github-actions', 'cloud'].map((name) => `docs/recipes/${name}.md`);

for (const page of pages.filter((page) => page.startsWith('docs/recipes/') && !WITHOUT_PROGRAMS.includes(page))) {
  testPage(page, { modules: MODULES });
}
