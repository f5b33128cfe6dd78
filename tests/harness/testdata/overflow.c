int main(int count, char **arguments)
{
    int number = 2147483647;
    (void)arguments;
    return number + count == 0;
}
