/** Icons that the first screens do not need: a screen that shows one imports this. */
import { addIcons } from './icon.tsx';
import { MORE } from './later_icons.ts';

addIcons(MORE);
