//! A list of seldom more than two elements: an empty one takes eight octets and no memory of its own.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Elements in order; used as the slice that they are.
#[derive(Clone, PartialEq, Eq)]
pub struct Few<T>(Option<Box<Several<T>>>);

/// Up to two elements lie where the list itself lies, in one allocation.
#[derive(Clone)]
enum Several<T> {
    One([T; 1]),
    Two([T; 2]),
    More(Vec<T>),
}

impl<T> Few<T> {
    /// Adds one at the end.
    pub fn push(&mut self, element: T) {
        let Some(several) = self.0.as_deref_mut() else {
            self.0 = Some(Box::new(Several::One([element])));
            return;
        };
        *several = match std::mem::replace(several, Several::More(Vec::new())) {
            Several::One([first]) => Several::Two([first, element]),
            Several::Two([first, second]) => Several::More(vec![first, second, element]),
            Several::More(mut elements) => {
                elements.push(element);
                Several::More(elements)
            }
        };
    }

    /// The elements.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        match self.0.map(|several| *several) {
            None => Vec::new(),
            Some(Several::One(elements)) => elements.into(),
            Some(Several::Two(elements)) => elements.into(),
            Some(Several::More(elements)) => elements,
        }
    }

    /// Heap octets held, without those of the elements.
    #[must_use]
    pub fn weight(&self) -> usize {
        let apart = match self.0.as_deref() {
            None => return 0,
            Some(Several::One(_) | Several::Two(_)) => 0,
            Some(Several::More(elements)) => elements.capacity() * size_of::<T>(),
        };
        size_of::<Several<T>>() + apart
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self.0.as_deref() {
            None => &[],
            Some(several) => several.as_slice(),
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self.0.as_deref_mut() {
            None => &mut [],
            Some(Several::One(elements)) => elements,
            Some(Several::Two(elements)) => elements,
            Some(Several::More(elements)) => elements,
        }
    }
}

impl<T> Several<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(elements) => elements,
            Self::Two(elements) => elements,
            Self::More(elements) => elements,
        }
    }
}

impl<T: PartialEq> PartialEq for Several<T> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Eq> Eq for Several<T> {}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut few = Self::default();
        for element in elements {
            few.push(element);
        }
        few
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Few<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_the_slice_that_was_put_in() {
        assert!(size_of::<Few<String>>() <= 8);
        for length in 0..9 {
            let elements: Vec<String> = (0..length).map(|number| number.to_string()).collect();
            let mut few: Few<String> = elements.iter().cloned().collect();
            assert_eq!(*few, *elements);
            assert_eq!(few.clone(), few);
            assert_eq!(few.weight() == 0, length == 0);
            assert!(few.iter().eq(&few));
            few.push("x".into());
            assert_eq!((few.len(), few.last().map(String::as_str)), (length + 1, Some("x")));
            few.last_mut().unwrap().push('y');
            assert_eq!(few[length], "xy");
            assert_eq!(few.clone().into_vec(), *few);
            assert_ne!(few, elements.into_iter().collect());
        }
    }
}
