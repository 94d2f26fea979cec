/** How the app is cut: what every page needs, what a chat needs, and all the rest where it is first used. */

/** A group takes what its modules import, too; earlier groups take first. */
export const chunks = {
  groups: [
    { name: 'base', test: /\/src\/ui\/(start|screens\/plain)\.tsx$/, priority: 2 },
    { name: 'app', test: /\/src\/ui\/app\.tsx$/, priority: 1 },
  ],
};
