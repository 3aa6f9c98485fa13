/// An array of fixed size whose elements are only ever worked on where they are.
///
/// An inline array's own subscript may load the whole array to read one element, which for the bank
/// is 200 KB; a mutable span does not, and so reading needs exclusive access, too. Elements that are
/// made one by one would pass twice over the stack, which stays resident; copies of one do not.
struct InPlace<let count: Int, Element: BitwiseCopyable>: ~Copyable {
  private var elements: InlineArray<count, Element>

  /// Makes every element a copy of one.
  init(repeating element: Element) { elements = InlineArray(repeating: element) }

  /// The element at `index`, in place.
  subscript(index: Int) -> Element {
    @inline(__always)
    mutating _read { yield elements.mutableSpan[index] }
    @inline(__always)
    _modify { yield &elements[index] }
  }
}
