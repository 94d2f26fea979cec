/** English, as much of it as the first message takes. The keys are the catalogue: other languages have the same. */
export const en = {
  appName: 'Polynya',
  starting: 'Starting',
  nameless: 'No name',

  // Buttons
  back: 'Back',
  close: 'Close',
  tryAgain: 'Try again',
  info: 'Info',

  // First run
  welcomeInvited: 'You are invited',
  firstRunText: 'Messages that only you and the people you write to can read. No phone number, no e-mail.',
  yourName: 'Your name',
  yourNameNote: 'The people you write to see it. The relay does not.',
  inviteLink: 'Invite link',
  inviteLinkNote: 'Paste the link that a friend sent you, or the one that your relay printed.',
  begin: 'Start',
  firstRunFine: 'Your keys are made on this device and never leave it.',

  // Invitations that one was given
  invitation: 'Invitation',
  openingInvite: 'Opening the invitation…',
  invitesYou: '{name} invites you to chat',
  invitesYouText: 'What you write to each other is encrypted on your devices. {name} will be asked to accept you.',
  sayHello: 'Say who you are (optional)',
  askToChat: 'Ask to chat',
  isLinkSafe: 'Is this link safe?',
  linkSafeText: 'It works once, and {name} has to accept you. Still, whoever saw the link before you could have used it, or made one in this name. So check that it really comes from {name}, and compare safety numbers in the chat later.',
  waitingFor: 'Waiting for {name}',
  waitingText: 'As soon as {name} accepts, the chat opens. You can close this page meanwhile.',
  toChats: 'To my chats',

  // Connection
  'link:connecting': 'Connecting…',
  'link:polling': 'Slow connection: new messages come with a delay.',
  'link:offline': 'No connection. What you write is sent later.',
  'link:blocked': 'The network works, the relay does not answer: it may be down or blocked here.',
  'link:retry': 'Next try in {n} s.',
  'link:now': 'Try now',

  // A chat
  encrypted: 'End-to-end encrypted',
  typing: 'writing…',
  joining: 'Joining…',
  emptyChat: 'Write the first message. Only the two of you can read it.',
  writeMessage: 'Message',
  send: 'Send',
  attach: 'Attach a file',
  emoji: 'Emoji',
  'state:joining': 'Joining the chat. This takes until the relay answers.',

  // What went wrong, and what to do. Keys are the codes of errors.
  'error:other': 'Something went wrong ({code}). Try again; if it stays, reload the page.',
  'error:load': 'This part of the app could not be loaded. Check the connection and try again.',
  'error:bad-link': 'This is not a whole invite link. Copy it again, with everything after the # sign.',
};
