//! `select!`: its grammar, and what it becomes.
//!
//! ```text
//!   read     arm by arm, into a list of (receive or send, channel, pattern, body), each with names of its own (hygiene) and its number
//!   write    match (arm, arm, ..) { choose; move the result out }    the arms end here: messages that were not sent are dropped
//!            if chosen == 0 { let pattern = result; body } else if ..
//! ```

/// Waits for the first of several sends and receives, and runs its arm.
///
/// The syntax is crossbeam's:
///
/// - `recv(receiver) -> result => body`: `result` is what [`Receiver::recv`](crate::channel::Receiver::recv) returns,
/// - `send(sender, message) -> result => body`: `result` is what [`Sender::send`](crate::channel::Sender::send) returns,
/// - `default => body`: when nothing is ready,
/// - `default(duration) => body`: when nothing was ready for so long.
///
/// A body is a block, with or without a comma after it, or an expression with one. All channels and messages are evaluated first, in order. Exactly one arm runs; a
/// message of another arm is dropped before it does. A channel that is disconnected is ready: its arm runs with the error.
///
/// Among several arms that are ready a random one is taken, by numbers that are the same in each run of the program.
///
/// Blocks while no arm is ready, unless there is a `default`. A cancellation while waiting is raised here: no message is received, none is sent, and those to send
/// are dropped; but one that was handed over in a channel of capacity 0 counts, and the cancellation is raised at the next wait point. On the root and on a plain OS thread the
/// wait runs the event loop.
///
/// # Examples
/// ```
/// use greenthread::{channel, select};
/// let (sender, receiver) = channel::bounded(1);
/// sender.send(5).unwrap();
/// let got = select! {
///     recv(receiver) -> message => message.unwrap(),
///     recv(channel::never::<u32>()) -> _ => unreachable!(),
/// };
/// assert_eq!(got, 5);
/// ```
#[macro_export]
macro_rules! select {
    ($($arms:tt)+) => { $crate::__select!(@read [] [] [] $($arms)+) };
    () => { compile_error!("`select!` needs at least one arm") };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // Read: [arms so far] [one + for each] [the default, if it was seen] what is left.
    (@read [$($arms:tt)*] [$($n:tt)*] [$($default:tt)*]) => {
        $crate::__select!(@write [$($arms)*] [$($default)*])
    };
    (@read $arms:tt $n:tt $default:tt , $($rest:tt)*) => {
        compile_error!("`select!`: a comma too many")
    };

    // Bodies: a block with or without a comma, else an expression with a comma unless it is the last.
    (@read $arms:tt $n:tt $default:tt $kind:ident $(($($args:tt)*))? $(-> $result:pat)? => $body:block, $($rest:tt)*) => {
        $crate::__select!(@arm $arms $n $default $kind ($($($args)*)?) ($($result)?) $body $($rest)*)
    };
    (@read $arms:tt $n:tt $default:tt $kind:ident $(($($args:tt)*))? $(-> $result:pat)? => $body:block $($rest:tt)*) => {
        $crate::__select!(@arm $arms $n $default $kind ($($($args)*)?) ($($result)?) $body $($rest)*)
    };
    (@read $arms:tt $n:tt $default:tt $kind:ident $(($($args:tt)*))? $(-> $result:pat)? => $body:expr, $($rest:tt)*) => {
        $crate::__select!(@arm $arms $n $default $kind ($($($args)*)?) ($($result)?) { $body } $($rest)*)
    };
    (@read $arms:tt $n:tt $default:tt $kind:ident $(($($args:tt)*))? $(-> $result:pat)? => $body:expr) => {
        $crate::__select!(@arm $arms $n $default $kind ($($($args)*)?) ($($result)?) { $body })
    };

    // Arms: `arm` and `result` are other names at each step.
    (@arm [$($arms:tt)*] [$($n:tt)*] $default:tt recv ($receiver:expr $(,)?) ($result:pat) $body:block $($rest:tt)*) => {
        $crate::__select!(
            @read
            [$($arms)* (arm result (0usize $(+ $n)*) ($crate::__RecvArm::new(0usize $(+ $n)*, &$receiver)) ($result) $body)]
            [$($n)* 1usize] $default $($rest)*
        )
    };
    (@arm [$($arms:tt)*] [$($n:tt)*] $default:tt send ($sender:expr, $message:expr $(,)?) ($result:pat) $body:block $($rest:tt)*) => {
        $crate::__select!(
            @read
            [$($arms)* (arm result (0usize $(+ $n)*) ($crate::__SendArm::new(0usize $(+ $n)*, &$sender, $message)) ($result) $body)]
            [$($n)* 1usize] $default $($rest)*
        )
    };
    (@arm $arms:tt $n:tt [] default () () $body:block $($rest:tt)*) => {
        $crate::__select!(@read $arms $n [($crate::__Patience::None) $body] $($rest)*)
    };
    (@arm $arms:tt $n:tt [] default ($limit:expr $(,)?) () $body:block $($rest:tt)*) => {
        $crate::__select!(@read $arms $n [($crate::__Patience::Until($limit)) $body] $($rest)*)
    };
    (@arm $arms:tt $n:tt [$($before:tt)+] default $($rest:tt)*) => {
        compile_error!("`select!` takes one `default` arm")
    };
    (@arm $arms:tt $n:tt $default:tt $kind:ident $args:tt $result:tt $body:block $($rest:tt)*) => {
        compile_error!(concat!(
            "`select!` takes `recv(receiver) -> result => ..`, `send(sender, message) -> result => ..`, `default => ..` and `default(duration) => ..`, not `",
            stringify!($kind), stringify!($args), "`"
        ))
    };
    (@arm $($other:tt)*) => {
        compile_error!("`select!`: this arm is none of `recv(..) -> .. =>`, `send(.., ..) -> .. =>`, `default =>`")
    };

    (@write $arms:tt []) => {
        $crate::__select!(@write $arms [($crate::__Patience::Endless) { unreachable!("a selection without end has ended") }])
    };
    (@write [$(($arm:ident $result:ident ($number:expr) ($make:expr) ($pattern:pat) $body:block))*] [($patience:expr) $default:block]) => {{
        $(let mut $result = ::core::option::Option::None;)*
        let chosen = match ($($make,)*) {
            ($(mut $arm,)*) => {
                let chosen = $crate::__choose(&mut [$($arm.any()),*], $patience);
                $(if chosen == ::core::option::Option::Some($number) {
                    $result = ::core::option::Option::Some($arm.take_result());
                })*
                chosen
            }
        };
        $(if chosen == ::core::option::Option::Some($number) {
            let $pattern = $result.expect("the arm that was chosen has a result");
            $body
        } else)* $default
    }};

    (@read $($other:tt)*) => {
        compile_error!("`select!`: an arm is `recv(receiver) -> result => body`, `send(sender, message) -> result => body` or `default => body`, with a comma after each body that is not a block")
    };
}
