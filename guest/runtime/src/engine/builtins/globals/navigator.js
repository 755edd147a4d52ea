// The global `navigator`: what the Minimum Common Web API has of it.

import { interfaces } from 'hyperlight:interfaces';

let isAllowed = true;

export class Navigator {
  #isNavigator;

  constructor() {
    if (!isAllowed) throw new TypeError('there is one Navigator only');
  }

  get userAgent() {
    this.#isNavigator;
    return 'hyperlight-js';
  }
}

interfaces(Navigator);
export const navigator = new Navigator();
isAllowed = false;
